"""OGX's filters, which are OpenAI's."""


class Filter(dict):
    def model_dump(self):
        return {
            name: [each.model_dump() if isinstance(each, Filter) else each for each in value] if isinstance(value, list) else value
            for name, value in self.items()
        }


ComparisonFilter = CompoundFilter = Filter
