"""The victim: what attacks hold, meter by meter."""
