"""Runs on their way to the browser: binary messages over a WebSocket."""
