class Settings10:
    def as_dict(self): return {}
    def update(self, d): pass
class Interface10:
    def _new_settings(self): return Settings10()
