gunicorn --config gunicorn.conf.py --daemon
sleep 3
