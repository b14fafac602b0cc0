"""What every refusal of a user's input must look like."""


def sentence(error, name, *parts):
    """One sentence: its subject, what was expected, what came, what to do; and what this case must mention."""
    said = str(error.value)
    assert said.startswith(f"{name}: expected "), said
    body = said.removeprefix(f"{name}: ")
    assert ", but " in body and "; " in body and body.endswith(".") and "\n" not in said, said
    assert "object at" not in said and ". " not in body.replace("(...", ""), said
    assert all(part in body for part in parts), (said, parts)
