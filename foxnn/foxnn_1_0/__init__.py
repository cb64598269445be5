"""The interface of FoxNN 1.0, on foxnn's core."""
