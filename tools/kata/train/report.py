"""What a trained network knows and what it mixes up, as text."""

import numpy as np

from kata.bench import table
from kata.train.models import evaluating


def predict(model, data, chunk=500):
    """Return the probabilities of all held-out images, (N, 10) float32, in eval mode."""
    pieces = []
    with evaluating(model):
        for start in range(0, len(data.held_images), chunk):
            logits = model(data.normalized(data.held_images[start : start + chunk]))
            odds = np.exp(logits - logits.max(axis=1, keepdims=True))
            pieces.append(odds / odds.sum(axis=1, keepdims=True))
    return np.concatenate(pieces)


def confusion(labels, guesses, classes=10):
    """Return counts[label, guess]."""
    return np.bincount(labels * classes + guesses, minlength=classes * classes).reshape(classes, classes)


def report(data, counts):
    """Return the accuracy, the table of classes and the confusion matrix, each under a heading."""
    right, total = int(np.trace(counts)), int(counts.sum())
    return "\n\n".join(
        [
            f"{data.name} {data.held} accuracy: {100 * right / total:.2f} % ({right} of {total} images)",
            class_table(data.classes, counts),
            f"confusion matrix ({data.name} {data.held}; a row is what it is, a column what it is taken for):",
            confusion_table(data.classes, counts),
        ]
    )


def class_table(classes, counts):
    """One line a class: how many there are, how many were recognised, and what they are most often taken for."""
    rows = []
    for label, name in enumerate(classes):
        total, right = int(counts[label].sum()), int(counts[label, label])
        wrong = np.where(np.arange(len(classes)) == label, -1, counts[label])
        other = int(wrong.argmax())
        taken = f"{classes[other]} ({wrong[other]})" if wrong[other] > 0 else "-"
        rows.append((name, total, right, f"{100 * right / total:.1f} %" if total else "-", taken))
    return table(("class", "images", "right", "accuracy", "most often taken for"), rows)


def confusion_table(classes, counts):
    """The matrix in text, the columns headed by the first letters of the classes."""
    head = ("", *(name[:5] for name in classes))
    return table(head, [(name, *row) for name, row in zip(classes, counts.tolist(), strict=True)])
