"""What picture.py does: draw a topic, write its stills, its page, its lesson's pictures."""

from kata.cli import click
from kata.errors import KataError
from kata.pictures import page, picture_of, scene, still
from kata.pictures.collect import collect
from kata.render import shown_path
from kata.topics import find_topic
from kata.train import places

KINDS = ("png", "svg")


def home():
    """Return the folder for pictures, which git ignores."""
    return places.home() / "pictures"


def drawn(name, solution="reference", image=None, run=None):
    """Return the `Drawing` of a topic; `image` is a file, or None for the drawn one, `run` a training's folder."""
    topic = find_topic(name)
    if run and not hasattr(picture_of(topic), "read_run"):
        raise KataError(f"--run: the picture of {topic} shows no training. Leave --run out.")
    if image and not getattr(picture_of(topic), "IMAGE", False):
        raise KataError(f"--image: the picture of {topic} shows numbers of its own. Leave --image out.")
    pixels = scene.read(image) if image else scene.drawn()
    return collect(topic, solution, pixels.tolist(), run=picture_of(topic).read_run(run) if run else None)


def write_page(drawing, folder):
    """Write the topic's explorer; return its path."""
    topic = drawing.topic
    path = folder / f"{topic.number}-{topic.stem}.html"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(page.make(drawing).encode())
    except OSError as error:
        raise KataError(f"{path} can't be written ({error.strerror}). Use --out DIR.") from None
    return path


def write_stills(drawing, folder, kinds=KINDS):
    """Write the topic's stills; return their paths."""
    topic, paths = drawing.topic, []
    for name, figure in picture_of(topic).stills(drawing).items():
        paths += [still.write(figure, folder / f"{topic.number}-{name}.{kind}") for kind in kinds]
    return paths


def lesson_pictures(topic):
    """Return {path: figure} of the pictures the lesson shows, drawn from the reference."""
    picture = picture_of(topic)
    figures = picture.stills(drawn(topic.number))
    return {topic.folder / "images" / f"{name}.svg": figures[name] for name in picture.LESSON}


def lesson(name, otherwise):
    """Redraw the lesson's pictures in the topic's folder."""
    if otherwise:
        raise KataError("--lesson draws the reference into the topic's own folder. Give it without other options.")
    for path, figure in lesson_pictures(find_topic(name)).items():
        click.echo(shown_path(still.write(figure, path)))
    return 0
