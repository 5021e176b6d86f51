"""ONNX files as networks: each file adds operators to the table in `call`."""
