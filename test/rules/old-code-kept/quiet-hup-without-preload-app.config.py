preload_app = False
