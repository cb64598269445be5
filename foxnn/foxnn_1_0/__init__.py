"""The interface of FoxNN 1.0, on foxnn's core."""

from foxnn.io.formats import register

register(".txt", "foxnn.foxnn_1_0.text_files")
