"""What goes into a network: samples in arrays, in files or batch by batch; how their numbers are read and scaled."""
