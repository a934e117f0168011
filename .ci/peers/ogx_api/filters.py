"""OGX's filters, which are OpenAI's."""


class Filter(dict):
    def model_dump(self):
        return {name: dumped(value) for name, value in self.items()}


def dumped(value):
    if isinstance(value, list):
        return [dumped(each) for each in value]
    return value.model_dump() if isinstance(value, Filter) else value


ComparisonFilter = CompoundFilter = Filter
