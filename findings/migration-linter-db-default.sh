#!/usr/bin/env bash
# django-migration-linter takes a column with a database default for one that breaks older code, where Django is on SQLite.
#
# A column that is NOT NULL and has a db_default (Django 5.0 and later) is safe beside older code: the database fills it in.
# The linter reads the SQL of a migration. On PostgreSQL that is one ALTER TABLE with a DEFAULT, which it lets through. On
# SQLite Django copies the table where the default is an expression or the column has a default in Python, too, and the
# linter sees NOT NULL in the statement that makes the copy, and calls it "NOT NULL constraint on columns".
#
# For whom it matters: people that lint on SQLite, as tests and build servers without a database server do. Lint on
# PostgreSQL, or look at the migration's operations instead of its SQL.
#
# Needs Python 3.11 or later with venv, and the package index. Exits 0 while it is so, and 1 once that has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check Django==5.2.19 django-migration-linter==6.0.0

mkdir -p "$folder/shops/migrations"
touch "$folder/shops/__init__.py" "$folder/shops/migrations/__init__.py"
cat > "$folder/shops/models.py" <<'PYTHON'
from django.db import models


class Shop(models.Model):
    version = models.CharField(max_length=40, default="", db_default="")
PYTHON
cat > "$folder/shops/migrations/0001_initial.py" <<'PYTHON'
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    operations = [migrations.CreateModel("Shop", [("id", models.BigAutoField(primary_key=True))])]
PYTHON
cat > "$folder/shops/migrations/0002_version.py" <<'PYTHON'
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shops", "0001_initial")]
    operations = [
        migrations.AddField("shop", "version", models.CharField(max_length=40, default="", db_default="")),
    ]
PYTHON
cat > "$folder/on_sqlite.py" <<'PYTHON'
SECRET_KEY = "only for this run"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
INSTALLED_APPS = ["shops", "django_migration_linter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PYTHON
cd "$folder"
export PYTHONPATH="$folder" DJANGO_SETTINGS_MODULE=on_sqlite
"$folder/venv/bin/pip" list --disable-pip-version-check 2>/dev/null | grep -i '^django'
"$folder/venv/bin/django-admin" sqlmigrate shops 0002_version | grep 'CREATE TABLE' || true
seen=$("$folder/venv/bin/django-admin" lintmigrations --no-cache --include-apps shops | grep '0002_version' || true)
echo "expected: (shops, 0002_version)... OK, since the database fills the column in"
echo "seen:     $seen"
case $seen in
    *ERR) exit 0 ;;
    *) exit 1 ;;
esac
