SECRET_KEY = "sample"
INSTALLED_APPS = ["django_q"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "queue.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
TIME_ZONE = "UTC"
USE_TZ = True
Q_CLUSTER = {"name": "shop", "workers": 2, "timeout": 3, "retry": 300, "orm": "default", "poll": 0.2}
