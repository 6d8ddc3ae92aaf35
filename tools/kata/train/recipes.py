"""What each model is trained with unless the command line says otherwise, and the settings of one run."""

from dataclasses import asdict, dataclass, fields, replace

from kata.errors import KataError


@dataclass(frozen=True)
class Settings:
    """All that decides a run's numbers: two runs of the same settings give the same metrics.

    `limit` and `holdout` are numbers of images, 0 for none; `padding` is how far a crop can move; `data` is
    "synthetic" or a folder; `threads` are the cores used, `kernels` the matrix products'; `plain` leaves the layers as
    the topics have them, without `fast`; `views` asks for a last word from several looks at each held-out image.
    """

    model: str
    epochs: int
    batch_size: int
    lr: float
    augment: bool
    padding: int = 4
    label_smoothing: float = 0.0
    momentum: float = 0.9
    weight_decay: float = 5e-4
    warmup: float = 0.25
    seed: int = 0
    limit: int = 0
    holdout: int = 0
    using: str = "mine"
    data: str = "synthetic"
    threads: int = 1
    kernels: str = ""
    plain: bool = False
    views: bool = False


# `resnet` is after the fast recipes (David Page 2018, How to train your ResNet; Jordan 2024, arXiv:2404.00498):
# few blocks, narrow where the image is large and wide where it is small, one cycle, label smoothing, flips, crops.
RECIPES = {
    "simple_cnn": Settings("simple_cnn", epochs=10, batch_size=128, lr=0.05, augment=True, padding=2),
    "mlp": Settings("mlp", epochs=10, batch_size=128, lr=0.05, augment=True, padding=2, plain=True),
    "resnet20": Settings("resnet20", epochs=30, batch_size=128, lr=0.1, augment=True),
    "resnet": Settings(
        "resnet", epochs=12, batch_size=128, lr=0.15, augment=True, padding=2, label_smoothing=0.1, views=True
    ),
}
OPTIONS = {"batch_size": "--batch-size", "augment": "--augment/--no-augment"}


def settings_for(given):
    """Return the recipe of given["model"] with what else is given in its place; None stands for "not given"."""
    given = {name: value for name, value in given.items() if value is not None}
    recipe = RECIPES[given.get("model", "simple_cnn")]
    if given.get("data", "synthetic") == "synthetic":
        # The drawings lie at random places already; they are few, so smaller steps, and more of them.
        recipe = replace(recipe, augment=False, batch_size=64, lr=0.4 * recipe.lr)
    return replace(recipe, **given)


def resumed(recorded, given, place):
    """Return the settings a run was begun with; refuse options that contradict them.

    Raises
    ------
    KataError
        If an option is given and differs, or the record is of another version; one sentence.
    """
    if recorded.keys() != {field.name for field in fields(Settings)}:
        raise KataError(f"{place} was begun by another version of train.py. Train anew with another --out.")
    for name, value in given.items():
        if value is not None and name != "data" and value != recorded[name]:
            option = OPTIONS.get(name, f"--{name}")
            raise KataError(
                f"{place} was trained with {option} {recorded[name]}, not {value}. "
                f"Leave {option} out to go on, or train anew with another --out."
            )
    data = given.get("data")
    return Settings(**recorded | ({"data": data} if data else {}))


def described(settings):
    """The settings as one line of text."""
    s = settings
    epochs = f"{s.epochs} epoch{'s' * (s.epochs > 1)}"
    augment = f"flips and crops of padding {s.padding}" if s.augment else "no augmentation"
    parts = [epochs, f"batch {s.batch_size}", f"peak rate {s.lr:g}", f"momentum {s.momentum:g}"]
    parts += [f"weight decay {s.weight_decay:g}", f"label smoothing {s.label_smoothing:g}", augment, f"seed {s.seed}"]
    return ", ".join(parts)


def as_record(settings):
    """The settings as plain data, for a checkpoint."""
    return asdict(settings)
