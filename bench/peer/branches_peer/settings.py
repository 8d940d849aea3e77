"""Settings of the peer; everything that differs from run to run comes from the environment."""

import os
from urllib.parse import urlsplit

_DATABASE = urlsplit(os.environ["PEER_DATABASE_URL"])

DEBUG = False
SECRET_KEY = "of no use: there are neither sessions nor forms"
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "branches_peer.urls"
WSGI_APPLICATION = "branches_peer.wsgi.application"
INSTALLED_APPS = ["rest_framework", "branches_peer"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": _DATABASE.hostname,
        "PORT": _DATABASE.port,
        "USER": _DATABASE.username,
        "PASSWORD": _DATABASE.password,
        "NAME": _DATABASE.path.lstrip("/"),
        # Connections stay open for as long as the worker lives.
        "CONN_MAX_AGE": None,
    }
}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["branches_peer.tokens.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "UNAUTHENTICATED_USER": None,
}
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Nothing is logged but failures.
LOGGING = {
    "version": 1,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "ERROR"},
}
