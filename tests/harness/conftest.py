from workbench import bench, crowded

__all__ = ["bench", "crowded"]
