"""Upgrades from the release before, and half of them back, while people work."""

from __future__ import annotations

from tests.faults.site import Embedded, Production
from tests.faults.stage import Stage


def old_beside_new(stage: Stage[Production]) -> None:
    """An upgrade from the release before, one process after the other. Its web process and its two workers run. The new
    tables come first, beside them; then a new worker beside an old one, and a new web process that people meet in turn
    with the old one. The web process goes back to the old one once. Nobody may notice, nothing may be given up."""
    site, seconds = stage.site, 1.0 if stage.short else 5.0
    new, old = site.installation, site.before
    assert old is not None
    site.bring_tables_forward()
    stage.wait(seconds)
    site.replace_worker("worker-1", by=new)
    stage.wait(seconds)
    for build in (new,) if stage.short else (new, old, new):
        site.replace_web(by=build, in_turn=2 * seconds)
        stage.wait(seconds)
    site.replace_worker("worker-2", by=new)
    _nothing_is_dead(stage)


def forth_and_back(stage: Stage[Embedded]) -> None:
    """The embedded mode is one process, so its versions follow one another: killed (kill -9) with events at work and
    started as the new version, back as the release before, on the new tables, and forth again; commands of the release
    before run beside the new server. Each takes up what the other left."""
    site = stage.site
    for build in (site.newer, site.before, site.newer):
        assert build is not None
        stage.wait(stage.dice.uniform(0.3, 1.5))
        site.kill()
        site.start_as(build)
        stage.mark()
        stage.recoveries.wait(20)
    assert site.before is not None
    done = site.before.manage("bus", "status")
    stage.expect(done.returncode == 0, f"bus status of the release before: {done.stderr}")
    _nothing_is_dead(stage)


def _nothing_is_dead(stage: Stage[Production] | Stage[Embedded]) -> None:
    ((dead,),) = stage.site.rows("SELECT count(*) FROM eventbus_delivery WHERE status = 'dead'")
    stage.expect(dead == 0, f"{dead} deliveries were given up")
