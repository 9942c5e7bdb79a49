workers = 3
max_requests = 1000
