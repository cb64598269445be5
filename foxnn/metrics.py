def should_be_large(name: str) -> bool | None:
    return True if name == "accuracy" else None
