"""ASGI servers on their own: uvicorn, hypercorn, daphne."""
