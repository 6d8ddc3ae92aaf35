"""What the machine-readable forms say about an exercise, in plain lines."""


def lines(exercise):
    """Return why an exercise does not pass, as a learner may read it: sentences, differences, the likely mistake."""
    if exercise["status"] == "todo":
        return [f"{exercise['name']} is still to do."]
    if exercise["status"] == "wait":
        return [f"waits for {exercise['failures'][0]['exercise']}."]
    said = [line for failure in exercise["failures"] for line in of_failure(failure)]
    if exercise["follows"]:
        said.append("follows from another exercise: over the reference's others it is right")
    if exercise["mistake"]:
        said.append(f"looks like: {exercise['mistake']['says']} (hint level {exercise['mistake']['level']})")
    return said


def of_failure(failure):
    """Return the lines of one failing test: its sentence, what was expected and got, the call."""
    call = [f"after {failure['call']}"] if failure["call"] else []
    return [f"{failure['test']}: {failure['sentence']}", *(f"  {line}" for line in [*failure["details"], *call])]


def about_topic(verdict):
    """Return what concerns the whole topic: why it could not be tested, and whose fault a failure is."""
    fault = verdict["fault"]
    blamed = (
        [f"the fault is in topic {fault['topic']}: over the reference's {fault['stem']} it passes"] if fault else []
    )
    return [*([verdict["problem"]] if verdict["problem"] else []), *blamed]
