#!/usr/bin/env bash
# The in-memory layer of Channels takes `channel_capacity` and then fails at the first message.
#
# With channels_redis, CONFIG may hold {"channel_capacity": {"hub*": 10000}}: patterns of channel names with room for more messages
# than `capacity`. InMemoryChannelLayer has the argument, too, and keeps the dict as it came. Its `get_capacity` expects the list
# of pairs that `compile_capacities` makes of it, which only the Redis layer calls. So the same settings that work on Redis end
# in "too many values to unpack" when something is sent to a channel, though the layer was built without complaint.
#
# For whom it matters: projects that develop or run embedded on the in-memory layer and are in production on Redis. Call
# self.compile_capacities in a subclass.
#
# Needs Python 3.11 or later with venv, and the package index. Exits 0 while it is so, and 1 once that has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check Django==5.2.19 channels==4.3.2 channels-redis==4.3.0

cat > "$folder/capacities.py" <<'PYTHON'
import asyncio
import sys

import channels
from channels.layers import InMemoryChannelLayer
from channels_redis.core import RedisChannelLayer

GIVEN = {"hub*": 10_000}


async def send() -> str:
    layer = InMemoryChannelLayer(channel_capacity=GIVEN)
    try:
        await layer.send("hub.one", {"type": "hint"})
    except ValueError as error:
        return f"ValueError: {error}"
    return f"room for {layer.get_capacity('hub.one')}"


on_redis = RedisChannelLayer(channel_capacity=GIVEN).get_capacity("hub.one")
in_memory = asyncio.run(send())
print("channels", channels.__version__)
print("expected: room for 10000 messages on both layers")
print(f"seen:     Redis layer: room for {on_redis}; in-memory layer: {in_memory}")
sys.exit(0 if on_redis == 10_000 and in_memory.startswith("ValueError") else 1)
PYTHON
"$folder/venv/bin/python" "$folder/capacities.py"
