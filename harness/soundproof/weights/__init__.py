"""Pretrained networks: out of a cache into a folder of safetensors files, and from there into others' caches."""
