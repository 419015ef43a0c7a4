"""Names the site class of Django's administration."""

from django.contrib.admin.apps import AdminConfig


class AdministrationConfig(AdminConfig):
    """Django's administration with our site."""

    default_site = "config.admin_site.Site"
