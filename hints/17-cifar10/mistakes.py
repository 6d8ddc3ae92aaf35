"""Wrong turns learners take in Topic 17, and the probes that tell them apart.

Random draws are never compared with each other: the probes look at what every correct draw has in common.
"""

import tempfile
from pathlib import Path

import numpy as np

from kata.mistakes import Mistake, probe
from kata.testing import count_bytecodes

MISTAKES = [
    # --- read_batch -------------------------------------------------------------------------------
    Mistake(
        name="pixels_interleaved",
        exercise="read_batch",
        level=2,
        says="the bytes are read as red, green, blue of one pixel after the other; the file has three whole planes",
        twist={"records[:, 1:].reshape(-1, 3, 32, 32)": "records[:, 1:].reshape(-1, 32, 32, 3).transpose(0, 3, 1, 2)"},
    ),
    Mistake(
        name="label_at_the_end",
        exercise="read_batch",
        level=1,
        says="the label is taken from the end of a record; it is the first of its bytes",
        twist={
            "labels = records[:, 0].astype(np.int64)": "labels = records[:, -1].astype(np.int64)",
            "images = records[:, 1:].reshape": "images = records[:, :-1].reshape",
        },
    ),
    Mistake(
        name="planes_column_by_column",
        exercise="read_batch",
        level=2,
        says="rows and columns are exchanged; a plane is written row by row",
        twist={"records[:, 1:].reshape(-1, 3, 32, 32)": "records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 1, 3, 2)"},
    ),
    Mistake(
        name="labels_stay_bytes",
        exercise="read_batch",
        level=2,
        says="the labels stay uint8, in which 0 - 1 is 255; make them int64",
        twist={"labels = records[:, 0].astype(np.int64)": "labels = records[:, 0].copy()"},
    ),
    Mistake(
        name="signed_bytes",
        exercise="read_batch",
        level=1,
        says="bytes are read as signed numbers, so bright pixels become negative; a pixel is 0 to 255",
        twist={"np.fromfile(path, np.uint8)": "np.fromfile(path, np.int8)"},
    ),
    Mistake(
        name="truncated_file_cut",
        exercise="read_batch",
        level=2,
        says="a record that is not whole is dropped silently; a truncated file is an error",
        twist={
            "if data.size == 0 or data.size % 3073:": "if data.size == 0:",
            "records = data.reshape(-1, 3073)": "records = data[: data.size // 3073 * 3073].reshape(-1, 3073)",
        },
    ),
    Mistake(
        name="empty_file_accepted",
        exercise="read_batch",
        level=2,
        says="an empty file passes as no records at all, since 0 is a multiple of 3073; it is an error",
        twist={
            "if data.size == 0 or data.size % 3073:": "if data.size % 3073:",
            "labels.max() > 9": "labels.max(initial=0) > 9",
        },
    ),
    Mistake(
        name="labels_unchecked",
        exercise="read_batch",
        level=2,
        says="any label passes; there are ten classes, 0 to 9",
        twist={"labels.max() > 9": "labels.max() > 255"},
    ),
    Mistake(
        name="ten_is_a_label",
        exercise="read_batch",
        level=2,
        says="label 10 passes; ten classes counted from 0 end at 9",
        twist={"labels.max() > 9": "labels.max() > 10"},
    ),
    Mistake(
        name="missing_file_is_no_images",
        exercise="read_batch",
        level=1,
        says="a file that is not there gives no images instead of an error, and training goes on without it",
        twist={
            "data = np.fromfile(path, np.uint8)": (
                "if not Path(path).exists():\n"
                "        return np.zeros((0, 3, 32, 32), np.uint8), np.zeros(0, np.int64)\n"
                "    data = np.fromfile(path, np.uint8)"
            )
        },
    ),
    # --- load_cifar10 -----------------------------------------------------------------------------
    Mistake(
        name="four_files_of_five",
        exercise="load_cifar10",
        level=2,
        says="range(1, 5) stops at 4, so the fifth training file is left out",
        twist={"range(1, 6)": "range(1, 5)"},
    ),
    Mistake(
        name="files_from_zero",
        exercise="load_cifar10",
        level=1,
        says="the files are counted from 0; the first is data_batch_1.bin",
        twist={"range(1, 6)": "range(5)"},
    ),
    Mistake(
        name="test_joins_training",
        exercise="load_cifar10",
        level=1,
        says="the test file is read into the training split, so the test measures memory",
        twist={"for number in range(1, 6)]": 'for number in range(1, 6)] + ["test_batch.bin"]'},
    ),
    Mistake(
        name="official_folder_unknown",
        exercise="load_cifar10",
        level=2,
        says="the files are looked for in the folder alone, not in a cifar-10-batches-bin inside it",
        twist={"home = inner if inner.is_dir() else Path(folder)": "home = Path(folder)"},
    ),
    Mistake(
        name="official_folder_only",
        exercise="load_cifar10",
        level=2,
        says="the files are looked for in cifar-10-batches-bin inside the folder alone, not in the folder itself",
        twist={"home = inner if inner.is_dir() else Path(folder)": "home = inner"},
    ),
    Mistake(
        name="any_name_is_test",
        exercise="load_cifar10",
        level=1,
        says='every split that is not "train" is taken for "test", so a slip of the pen goes unnoticed',
        twist={
            "    if split not in files:\n"
            '        raise ValueError(f\'load_cifar10: split is {split!r}. Use "train" or "test".\')\n': (
                '    split = "train" if split == "train" else "test"\n'
            )
        },
    ),
    Mistake(
        name="missing_files_skipped",
        exercise="load_cifar10",
        level=2,
        says="a file that is missing is passed over, and training goes on with less data than it seems",
        twist={
            "    for name in files[split]:\n        if not": (
                "    files[split] = [name for name in files[split] if (home / name).is_file()]\n"
                "    for name in files[split]:\n        if not"
            )
        },
    ),
    # --- channel_statistics -----------------------------------------------------------------------
    Mistake(
        name="statistics_in_bytes",
        exercise="channel_statistics",
        level=1,
        says="mean and std are those of the bytes, 0 to 255; those of the values / 255 are asked for",
        twist={
            "return (mean / 255).astype(np.float32), (std / 255).astype(np.float32)": (
                "return mean.astype(np.float32), std.astype(np.float32)"
            )
        },
    ),
    Mistake(
        name="variance_for_deviation",
        exercise="channel_statistics",
        level=2,
        says="the variance is returned; the standard deviation is its root",
        twist={"std = np.sqrt(square - mean**2)": "std = (square - mean**2) / 255"},
    ),
    Mistake(
        name="deviation_over_m_minus_1",
        exercise="channel_statistics",
        level=2,
        says="the squares are divided by one less than there are values; divide by all of them",
        twist={"std = np.sqrt(square - mean**2)": "std = np.sqrt((square - mean**2) * count / max(count - 1, 1))"},
    ),
    Mistake(
        name="deviation_within_images",
        exercise="channel_statistics",
        level=2,
        says="the deviations of single images are averaged, so the spread between images is lost",
        twist={"std = np.sqrt(square - mean**2)": "std = images.std(axis=(2, 3)).mean(axis=0)"},
    ),
    Mistake(
        name="one_statistic_for_all_channels",
        exercise="channel_statistics",
        level=1,
        says="one mean and one std are taken over all channels; each channel has its own",
        twist={
            "std = np.sqrt(square - mean**2)": (
                "std = np.full_like(mean, images.std())\n    mean = np.full_like(mean, images.mean())"
            )
        },
    ),
    Mistake(
        name="squares_of_bytes_wrap",
        exercise="channel_statistics",
        level=3,
        says="bytes are squared as bytes, and 255 squared is 1 in them; give the squares more room",
        twist={
            'np.einsum("nchw,nchw->c", images, images, dtype=np.int64) / count': (
                "np.square(images).sum(axis=(0, 2, 3)) / count"
            )
        },
    ),
    Mistake(
        name="statistics_in_float64",
        exercise="channel_statistics",
        level=3,
        says="mean and std are left in float64, which would make float64 of every image they meet",
        twist={
            "return (mean / 255).astype(np.float32), (std / 255).astype(np.float32)": "return mean / 255, std / 255"
        },
    ),
    # --- normalize --------------------------------------------------------------------------------
    Mistake(
        name="bytes_not_scaled",
        exercise="normalize",
        level=1,
        says="mean and std, which are of values in 0 to 1, are applied to bytes; divide by 255 first",
        twist={"1 / (255 * std)": "1 / std"},
    ),
    Mistake(
        name="own_statistics",
        exercise="normalize",
        level=1,
        says="every set is normalised by its own statistics; the training split's count for all",
        twist={
            "mean, std = np.asarray(mean, np.float32), np.asarray(std, np.float32)": (
                "mean, std = channel_statistics(images)"
            )
        },
    ),
    Mistake(
        name="mean_taken_after_dividing",
        exercise="normalize",
        level=2,
        says="the values are divided by std before the mean is taken away, so the mean is not divided",
        twist={"x -= mean / std": "x -= mean"},
    ),
    Mistake(
        name="divided_by_variance",
        exercise="normalize",
        level=2,
        says="the values are divided by std squared; std itself makes the deviation 1",
        twist={"1 / (255 * std)": "1 / (255 * std**2)", "x -= mean / std": "x -= mean / std**2"},
    ),
    Mistake(
        name="statistics_along_the_width",
        exercise="normalize",
        level=2,
        says="mean and std line up with the last axis, the columns; they belong to the channels",
        twist={
            "    mean, std = mean[:, np.newaxis, np.newaxis], std[:, np.newaxis, np.newaxis]\n": "",
        },
    ),
    Mistake(
        name="normalised_in_float64",
        exercise="normalize",
        level=2,
        says="the result is float64, twice the memory and half the speed; the network computes in float32",
        twist={
            "x = np.multiply(images, 1 / (255 * std), dtype=np.float32)": "x = images * (1.0 / (255 * std))"
            ".astype(np.float64)"
        },
    ),
    Mistake(
        name="division_by_no_spread",
        exercise="normalize",
        level=2,
        says="a std of 0 is divided by, and a constant channel becomes NaN or infinite",
        twist={"if not np.all(std > 0):": "if np.any(std < 0):"},
    ),
    # --- random_crop ------------------------------------------------------------------------------
    Mistake(
        name="one_offset_for_the_batch",
        exercise="random_crop",
        level=1,
        says="one offset is drawn for the whole batch; every image has its own",
        twist={
            "rng.integers(0, 2 * ph + 1, size=N), rng.integers(0, 2 * pw + 1, size=N)": (
                "rng.integers(0, 2 * ph + 1), rng.integers(0, 2 * pw + 1)"
            )
        },
    ),
    Mistake(
        name="last_offset_never_drawn",
        exercise="random_crop",
        level=2,
        says="the largest offset is never drawn: integers(0, 2 * p) stops before 2 * p",
        twist={"2 * ph + 1, size=N": "max(2 * ph, 1), size=N", "2 * pw + 1, size=N": "max(2 * pw, 1), size=N"},
    ),
    Mistake(
        name="moved_one_way_only",
        exercise="random_crop",
        level=2,
        says="the offsets run from 0 to the padding, so images move one way only; they run to twice the padding",
        twist={"2 * ph + 1, size=N": "ph + 1, size=N", "2 * pw + 1, size=N": "pw + 1, size=N"},
    ),
    Mistake(
        name="moved_along_the_diagonal",
        exercise="random_crop",
        level=2,
        says="one number is drawn for both the top and the left, so images move along the diagonal",
        twist={
            "top, left = rng.integers(0, 2 * ph + 1, size=N), rng.integers(0, 2 * pw + 1, size=N)": (
                "top = left = rng.integers(0, 2 * min(ph, pw) + 1, size=N)"
            )
        },
    ),
    Mistake(
        name="channels_moved_apart",
        exercise="random_crop",
        level=2,
        says="each channel has an offset of its own, which tears the colours apart",
        twist={
            "rng.integers(0, 2 * ph + 1, size=N), rng.integers(0, 2 * pw + 1, size=N)": (
                "rng.integers(0, 2 * ph + 1, size=(N, C)), rng.integers(0, 2 * pw + 1, size=(N, C))"
            ),
            "[np.arange(N), :, top, left]": "[np.arange(N)[:, np.newaxis], np.arange(C), top, left]",
        },
    ),
    Mistake(
        name="border_repeated",
        exercise="random_crop",
        level=1,
        says="the border repeats the image's edge; it is zeros",
        twist={
            "padded = np.zeros((N, C, H + 2 * ph, W + 2 * pw), images.dtype)": (
                'padded = np.pad(images, ((0, 0), (0, 0), (ph, ph), (pw, pw)), mode="edge")'
            )
        },
    ),
    Mistake(
        name="crops_become_float64",
        exercise="random_crop",
        level=2,
        says="the padding makes float64 of the images; keep their dtype",
        twist={"H + 2 * ph, W + 2 * pw), images.dtype)": "H + 2 * ph, W + 2 * pw))"},
    ),
    Mistake(
        name="crop_draws_from_elsewhere",
        exercise="random_crop",
        level=1,
        says="the offsets come from another generator than the one given, so no run can be repeated",
        twist={"top, left = rng.integers": "rng = np.random.default_rng()\n    top, left = rng.integers"},
    ),
    # --- random_flip ------------------------------------------------------------------------------
    Mistake(
        name="upside_down",
        exercise="random_flip",
        level=1,
        says="images are turned upside down; a mirror exchanges left and right, the columns",
        twist={"images[:, :, :, ::-1]": "images[:, :, ::-1]"},
    ),
    Mistake(
        name="rotated_by_180",
        exercise="random_flip",
        level=2,
        says="rows and columns are both reversed; a mirror reverses the columns alone",
        twist={"images[:, :, :, ::-1]": "images[:, :, ::-1, ::-1]"},
    ),
    Mistake(
        name="all_or_nothing",
        exercise="random_flip",
        level=2,
        says="the whole batch is mirrored or none of it; every image has a draw of its own",
        twist={"mirrored = rng.random(len(images)) < 0.5": "mirrored = np.full(len(images), rng.random() < 0.5)"},
    ),
    Mistake(
        name="always_mirrored",
        exercise="random_flip",
        level=1,
        says="every image is mirrored; half of them are to stay as they are",
        twist={"rng.random(len(images)) < 0.5": "rng.random(len(images)) < 1"},
    ),
    Mistake(
        name="mirrored_in_place",
        exercise="random_flip",
        level=2,
        says="the mirrored images are written into the data set itself",
        twist={
            "return np.where(mirrored[:, np.newaxis, np.newaxis, np.newaxis], images[:, :, :, ::-1], images)": (
                "images[mirrored] = images[mirrored][:, :, :, ::-1]\n    return images"
            )
        },
    ),
    Mistake(
        name="flip_draws_from_elsewhere",
        exercise="random_flip",
        level=1,
        says="the flips come from another generator than the one given, so no run can be repeated",
        twist={"mirrored = rng.random(len(images))": "mirrored = np.random.default_rng().random(len(images))"},
    ),
    # --- iterate_batches --------------------------------------------------------------------------
    Mistake(
        name="last_batch_dropped",
        exercise="iterate_batches",
        level=1,
        says="a last batch that is not full is left out, although drop_last is False",
        twist={"N - N % batch_size if drop_last else N": "N - N % batch_size"},
    ),
    Mistake(
        name="drop_last_ignored",
        exercise="iterate_batches",
        level=1,
        says="drop_last changes nothing",
        twist={"N - N % batch_size if drop_last else N": "N"},
    ),
    Mistake(
        name="full_batch_dropped",
        exercise="iterate_batches",
        level=2,
        says="drop_last leaves out the last batch also where it is full",
        twist={"N - N % batch_size if drop_last else N": "max(N - batch_size, 0) if drop_last else N"},
    ),
    Mistake(
        name="labels_left_in_place",
        exercise="iterate_batches",
        level=1,
        says="the images are shuffled and the labels are not, so labels belong to other images",
        twist={"yield images[chosen], labels[chosen]": "yield images[chosen], labels[rows]"},
    ),
    Mistake(
        name="labels_shuffled_apart",
        exercise="iterate_batches",
        level=2,
        says="images and labels are shuffled by two orders; one permutation serves both",
        twist={
            "yield images[chosen], labels[chosen]": (
                "yield images[chosen], labels[chosen if rng is None else (2 * N - 1 - order)[rows] % N]"
            )
        },
    ),
    Mistake(
        name="drawn_with_replacement",
        exercise="iterate_batches",
        level=2,
        says="every place of a batch is drawn anew, so some images come twice and others never; permute them",
        twist={"rng.permutation(N)": "rng.integers(0, max(N, 1), N)"},
    ),
    Mistake(
        name="data_set_reordered",
        exercise="iterate_batches",
        level=2,
        says="the caller's arrays themselves are shuffled; draw an order and index with it",
        twist={
            "order = None if rng is None else rng.permutation(N)": (
                "order = None\n    if rng is not None:\n        new = rng.permutation(N)\n"
                "        images[:], labels[:] = images[new], labels[new]"
            )
        },
    ),
    Mistake(
        name="one_order_for_all_epochs",
        exercise="iterate_batches",
        level=2,
        says="every epoch has the same order, from a generator made anew; draw from the one given",
        twist={"rng.permutation(N)": "np.random.default_rng(0).permutation(N)"},
    ),
    # --- cross_entropy_forward --------------------------------------------------------------------
    Mistake(
        name="softmax_overflows",
        exercise="cross_entropy_forward",
        level=2,
        says="exp is taken of the scores as they are, and exp(1000) is infinite; take the row's largest away first",
        twist={"shifted = logits - logits.max(axis=1, keepdims=True)": "shifted = logits"},
    ),
    Mistake(
        name="largest_of_the_batch",
        exercise="cross_entropy_forward",
        level=2,
        says="the largest score of the whole batch is taken away, so rows far below it vanish; each row has its own",
        twist={"logits.max(axis=1, keepdims=True)": "logits.max(initial=-np.inf)"},
    ),
    Mistake(
        name="log_of_vanished_odds",
        exercise="cross_entropy_forward",
        level=3,
        says="the log is taken of odds that have rounded to 0; take the log of the sum away from the score instead",
        twist={
            "log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))": (
                "log_p = np.log(np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True))"
            )
        },
    ),
    Mistake(
        name="softmax_down_the_batch",
        exercise="cross_entropy_forward",
        level=1,
        says="the softmax runs down the batch; the odds of one image's classes sum to 1",
        twist={
            "np.log(np.exp(shifted).sum(axis=1, keepdims=True))": "np.log(np.exp(shifted).sum(axis=0, keepdims=True))"
        },
    ),
    Mistake(
        name="loss_summed",
        exercise="cross_entropy_forward",
        level=1,
        says="the losses of the batch are summed; the loss is their mean",
        twist={"float(losses.sum()) / max(N, 1)": "float(losses.sum())"},
    ),
    Mistake(
        name="mean_over_classes_too",
        exercise="cross_entropy_forward",
        level=2,
        says="the sum is divided by images times classes; the mean is over the images alone",
        twist={"float(losses.sum()) / max(N, 1)": "float(losses.sum()) / max(logits.size, 1)"},
    ),
    Mistake(
        name="smoothing_to_the_others_only",
        exercise="cross_entropy_forward",
        level=2,
        says="the smoothed share goes to the K - 1 other classes; it goes to all K, the label's own included",
        twist={"share * log_p.mean(axis=1)": ("share * (log_p.sum(axis=1) - of_label) / max(log_p.shape[1] - 1, 1)")},
    ),
    Mistake(
        name="smoothing_on_top",
        exercise="cross_entropy_forward",
        level=2,
        says="the smoothed share is added and the label keeps all of its own, so the target sums to more than 1",
        twist={"losses = -(1 - share) * of_label": "losses = -of_label"},
    ),
    Mistake(
        name="smoothing_ignored",
        exercise="cross_entropy_forward",
        level=1,
        says="label_smoothing changes nothing in the loss",
        twist={"losses = -(1 - share) * of_label - share * log_p.mean(axis=1)": "losses = -of_label"},
    ),
    Mistake(
        name="odds_instead_of_their_log",
        exercise="cross_entropy_forward",
        level=1,
        says="the loss is minus the odds of the label; it is minus their logarithm",
        twist={"of_label = log_p[np.arange(N), labels]": "of_label = np.exp(log_p[np.arange(N), labels])"},
    ),
    Mistake(
        name="label_minus_one_wraps",
        exercise="cross_entropy_forward",
        level=2,
        says="label -1 is taken for the last class, as an index from the end; it is no class",
        twist={"labels[(labels < 0) | (labels >= K)]": "labels[(labels < -K) | (labels >= K)]"},
    ),
    # --- cross_entropy_backward -------------------------------------------------------------------
    Mistake(
        name="gradient_of_a_sum",
        exercise="cross_entropy_backward",
        level=1,
        says="the gradient is not divided by N, although the loss is a mean",
        twist={"    dlogits /= max(N, 1)\n": ""},
    ),
    Mistake(
        name="gradient_over_classes_too",
        exercise="cross_entropy_backward",
        level=2,
        says="the gradient is divided by N times K; the mean is over the N images",
        twist={"dlogits /= max(N, 1)": "dlogits /= max(N * K, 1)"},
    ),
    Mistake(
        name="gradient_uphill",
        exercise="cross_entropy_backward",
        level=2,
        says="the sign is turned round: target minus odds leads uphill",
        twist={"dlogits /= max(N, 1)": "dlogits /= -max(N, 1)"},
    ),
    Mistake(
        name="target_forgotten",
        exercise="cross_entropy_backward",
        level=1,
        says="nothing is taken away at the label; the gradient is odds minus target",
        twist={"    dlogits[np.arange(N), labels] -= 1 - share\n": ""},
    ),
    Mistake(
        name="gradient_not_smoothed",
        exercise="cross_entropy_backward",
        level=1,
        says="the loss is smoothed and the gradient is not",
        twist={"dlogits = p - share / K": "dlogits = p.copy()", "labels] -= 1 - share": "labels] -= 1"},
    ),
    Mistake(
        name="gradient_smoothed_to_the_others_only",
        exercise="cross_entropy_backward",
        level=2,
        says="the target's smoothed share goes to the K - 1 other classes; it goes to all K",
        twist={
            "dlogits = p - share / K": "dlogits = p - share / max(K - 1, 1)",
            "labels] -= 1 - share": "labels] -= 1 - share - share / max(K - 1, 1)",
        },
    ),
    Mistake(
        name="cache_used_up",
        exercise="cross_entropy_backward",
        level=2,
        says="the gradient is worked out in the cache's own array, so a second backward starts from it",
        twist={"dlogits = p - share / K": "dlogits = np.subtract(p, share / K, out=p)"},
    ),
    Mistake(
        name="gradient_in_float64",
        exercise="cross_entropy_backward",
        level=2,
        says="the target is float64, and with it the gradient and every one behind it",
        twist={"dlogits = p - share / K": "dlogits = p - np.full(p.shape, share / K)"},
    ),
    Mistake(
        name="label_by_label",
        exercise="cross_entropy_backward",
        level=3,
        says="a Python loop visits every image; indexing with two arrays visits them all at once",
        twist={
            "    dlogits[np.arange(N), labels] -= 1 - share\n": (
                "    for n in range(N):\n        dlogits[n, labels[n]] -= 1 - share\n"
            )
        },
    ),
    # --- SGD --------------------------------------------------------------------------------------
    Mistake(
        name="velocity_as_an_average",
        exercise="SGD",
        level=2,
        says="the gradient enters the velocity with 1 - momentum; it enters whole",
        twist={"velocity += gradient": "velocity += (1 - momentum) * gradient"},
    ),
    Mistake(
        name="rate_inside_the_velocity",
        exercise="SGD",
        level=2,
        says="the velocity remembers steps at the rates of old; it sums gradients, and today's rate scales it",
        twist={
            "velocity += gradient": "velocity += lr * gradient",
            "direction = gradient + momentum": "direction = lr * gradient + momentum",
            "parameter.value -= lr * direction": "parameter.value -= direction",
        },
    ),
    Mistake(
        name="decay_beside_the_gradient",
        exercise="SGD",
        level=2,
        says="the value shrinks beside the step (AdamW's decay); here the decay joins the gradient and its momentum",
        twist={
            "parameter.grad + weight_decay * parameter.value if weight_decay else parameter.grad": "parameter.grad",
            "parameter.value -= lr * direction": (
                "parameter.value -= lr * direction + lr * weight_decay * parameter.value"
            ),
        },
    ),
    Mistake(
        name="decay_ignored",
        exercise="SGD",
        level=1,
        says="weight_decay changes nothing",
        twist={"parameter.grad + weight_decay * parameter.value if weight_decay else parameter.grad": "parameter.grad"},
    ),
    Mistake(
        name="biases_not_decayed",
        exercise="SGD",
        level=2,
        says="parameters of one axis are spared the decay; this optimizer treats all alike",
        twist={
            "if weight_decay else parameter.grad": ("if weight_decay and parameter.value.ndim > 1 else parameter.grad")
        },
    ),
    Mistake(
        name="nesterov_ignored",
        exercise="SGD",
        level=2,
        says="with nesterov the step is still the velocity; it is the gradient plus momentum times the new velocity",
        twist={"direction = gradient + momentum * velocity if self.nesterov else velocity": "direction = velocity"},
    ),
    Mistake(
        name="momentum_ignored",
        exercise="SGD",
        level=1,
        says="nothing is left of the last velocity: every step starts from standstill",
        twist={"velocity *= momentum": "velocity *= 0"},
    ),
    Mistake(
        name="steps_uphill",
        exercise="SGD",
        level=1,
        says="the step follows the gradient, which leads uphill",
        twist={"parameter.value -= lr * direction": "parameter.value += lr * direction"},
    ),
    Mistake(
        name="value_replaced",
        exercise="SGD",
        level=2,
        says="the parameter gets a new array; write into the one it has",
        twist={"parameter.value -= lr * direction": "parameter.value = parameter.value - lr * direction"},
    ),
    Mistake(
        name="step_clears_gradients",
        exercise="SGD",
        level=1,
        says="step sets the gradients to 0; that is zero_grad's task",
        twist={
            "parameter.value -= lr * direction": (
                "parameter.value -= lr * direction\n            parameter.grad[...] = 0"
            )
        },
    ),
    Mistake(
        name="decay_written_into_the_gradient",
        exercise="SGD",
        level=2,
        says="the decay is added to .grad itself, and again at the next step",
        twist={
            "gradient = parameter.grad + weight_decay * parameter.value if weight_decay else parameter.grad": (
                "gradient = parameter.grad\n            gradient += weight_decay * parameter.value"
            )
        },
    ),
    Mistake(
        name="gradient_replaced",
        exercise="SGD",
        level=2,
        says="zero_grad puts a new array in place of .grad; write zeros into the one that is there",
        twist={"parameter.grad.fill(0)": "parameter.grad = np.zeros_like(parameter.grad)"},
    ),
    Mistake(
        name="zero_grad_stops_the_velocity",
        exercise="SGD",
        level=2,
        says="zero_grad clears the velocities as well, and with them the momentum",
        twist={
            "parameter.grad.fill(0)": (
                "parameter.grad.fill(0)\n        for velocity in self.velocities:\n            velocity.fill(0)"
            )
        },
    ),
    Mistake(
        name="rate_fixed_at_first",
        exercise="SGD",
        level=2,
        says="the rate of the beginning is used for ever; read self.lr at every step",
        twist={
            "self.parameters = list(parameters)": "self.parameters, self._rate = list(parameters), lr",
            "= float(self.lr), float(self.momentum)": "= float(self._rate), float(self.momentum)",
        },
    ),
    Mistake(
        name="negative_numbers_accepted",
        exercise="SGD",
        level=2,
        says="a negative rate or decay passes, and the training climbs instead of descending",
        twist={"if lr < 0 or weight_decay < 0:": "if lr is None:"},
    ),
    Mistake(
        name="nesterov_at_standstill",
        exercise="SGD",
        level=2,
        says="nesterov passes without momentum, where it looks ahead along nothing; it is an error",
        twist={"if nesterov and momentum == 0:": "if nesterov and momentum < 0:"},
    ),
    # --- one_cycle_lr -----------------------------------------------------------------------------
    Mistake(
        name="warm_up_starts_at_the_peak",
        exercise="one_cycle_lr",
        level=1,
        says="the rate is at its peak from the first step; it climbs there from 0",
        twist={"return float(peak_lr * (step / top))": "return float(peak_lr)"},
    ),
    Mistake(
        name="fall_over_all_steps",
        exercise="one_cycle_lr",
        level=2,
        says="the way down is spread over all steps, so the rate jumps at the peak; it begins there",
        twist={"(total_steps - top)": "total_steps"},
    ),
    Mistake(
        name="falls_as_a_cosine",
        exercise="one_cycle_lr",
        level=1,
        says="the rate falls as a cosine; here it falls in a straight line",
        twist={
            "return float(peak_lr * ((total_steps - step) / (total_steps - top)))": (
                "return float(peak_lr * (0.5 - 0.5 * np.cos(np.pi * (total_steps - step) / (total_steps - top))))"
            )
        },
    ),
    Mistake(
        name="warm_up_in_steps",
        exercise="one_cycle_lr",
        level=2,
        says="warmup is taken for a number of steps; it is a share of them",
        twist={"top = warmup * total_steps": "top = warmup"},
    ),
    Mistake(
        name="peak_on_a_whole_step",
        exercise="one_cycle_lr",
        level=2,
        says="the peak is rounded down to a whole step; it may lie between two",
        twist={"top = warmup * total_steps": "top = int(warmup * total_steps)"},
    ),
    Mistake(
        name="rate_below_zero",
        exercise="one_cycle_lr",
        level=2,
        says="a step beyond the last is let through and has a negative rate",
        twist={"not 0 <= step <= total_steps": "step < 0"},
    ),
    # --- simple_cnn -------------------------------------------------------------------------------
    Mistake(
        name="no_relu_between_dense_layers",
        exercise="simple_cnn",
        level=1,
        says="no ReLU stands between the two dense layers, so they are one linear map",
        twist={
            "Linear(64 * 8 * 8, 128, rng=rng),\n        ReLU(),": "Linear(64 * 8 * 8, 128, rng=rng),",
        },
    ),
    Mistake(
        name="convolutions_without_padding",
        exercise="simple_cnn",
        level=2,
        says="the convolutions have no padding, so the maps shrink to 6 by 6 and Flatten gives 2304",
        twist={
            "Conv2d(3, 32, 3, padding=1, rng=rng)": "Conv2d(3, 32, 3, rng=rng)",
            "Conv2d(32, 64, 3, padding=1, rng=rng)": "Conv2d(32, 64, 3, rng=rng)",
            "Linear(64 * 8 * 8, 128, rng=rng)": "Linear(64 * 6 * 6, 128, rng=rng)",
        },
    ),
    Mistake(
        name="classes_fixed_at_ten",
        exercise="simple_cnn",
        level=1,
        says="there are always ten outputs, whatever num_classes says",
        twist={"Linear(128, num_classes, rng=rng)": "Linear(128, 10, rng=rng)"},
    ),
    Mistake(
        name="generator_not_handed_on",
        exercise="simple_cnn",
        level=1,
        says="a layer draws from a generator of its own, so one seed does not give one network",
        twist={"Conv2d(32, 64, 3, padding=1, rng=rng)": "Conv2d(32, 64, 3, padding=1)"},
    ),
    # --- train_epoch ------------------------------------------------------------------------------
    Mistake(
        name="gradients_pile_up",
        exercise="train_epoch",
        level=1,
        says="the gradients are never set to 0, so every step follows those of all batches before",
        twist={"        optimizer.zero_grad()\n        loss, cache": "        loss, cache"},
    ),
    Mistake(
        name="gradients_cleared_before_the_step",
        exercise="train_epoch",
        level=2,
        says="the gradients are cleared between backward and step, so nothing is learned",
        twist={
            "        optimizer.zero_grad()\n        loss, cache": "        loss, cache",
            "        optimizer.step()\n        total": (
                "        optimizer.zero_grad()\n        optimizer.step()\n        total"
            ),
        },
    ),
    Mistake(
        name="mean_of_batch_losses",
        exercise="train_epoch",
        level=2,
        says="the batches' losses are averaged, so images of a short batch count more; weigh each by its images",
        twist={"total += loss * len(y)": "total += loss", "return total / len(labels)": "return total / (k + 1)"},
    ),
    Mistake(
        name="loss_after_the_step",
        exercise="train_epoch",
        level=2,
        says="the loss is measured again after the step; it is the one the gradient came from",
        twist={"total += loss * len(y)": ("total += cross_entropy_forward(model(x), y, label_smoothing)[0] * len(y)")},
    ),
    Mistake(
        name="mode_left_as_it_was",
        exercise="train_epoch",
        level=1,
        says="the model is not set to training mode, so after an evaluation batch norms stand still",
        twist={"    model.train()\n    total = 0.0": "    total = 0.0"},
    ),
    Mistake(
        name="epoch_never_shuffled",
        exercise="train_epoch",
        level=1,
        says="the generator does not reach the batches, so every epoch has the same order",
        twist={"iterate_batches(images, labels, batch_size, rng)": "iterate_batches(images, labels, batch_size)"},
    ),
    Mistake(
        name="short_batch_left_out",
        exercise="train_epoch",
        level=2,
        says="the last batch is left out of training where it is not full",
        twist={
            "iterate_batches(images, labels, batch_size, rng)": (
                "iterate_batches(images, labels, batch_size, rng, drop_last=True)"
            )
        },
    ),
    Mistake(
        name="rate_set_after_the_step",
        exercise="train_epoch",
        level=2,
        says="the rate is set after the step, so every batch has the rate of the one before",
        twist={
            "        if lr is not None:\n            optimizer.lr = lr(k)\n": "",
            "        optimizer.step()\n        total": (
                "        optimizer.step()\n        if lr is not None:\n            optimizer.lr = lr(k)\n        total"
            ),
        },
    ),
    Mistake(
        name="rate_of_its_own",
        exercise="train_epoch",
        level=2,
        says="without lr the optimizer gets a rate made up here; leave the one it has",
        twist={
            "        if lr is not None:\n            optimizer.lr = lr(k)\n": (
                "        optimizer.lr = 0.1 if lr is None else lr(k)\n"
            )
        },
    ),
    Mistake(
        name="epoch_draws_from_elsewhere",
        exercise="train_epoch",
        level=1,
        says="the order comes from another generator than the one given, so no training can be repeated",
        twist={
            "iterate_batches(images, labels, batch_size, rng)": (
                "iterate_batches(images, labels, batch_size, rng and np.random.default_rng())"
            )
        },
    ),
    Mistake(
        name="smoothing_not_handed_on",
        exercise="train_epoch",
        level=1,
        says="label_smoothing does not reach the loss",
        twist={
            "cross_entropy_forward(model(x), y, label_smoothing)\n": "cross_entropy_forward(model(x), y)\n",
        },
    ),
    Mistake(
        name="augmented_images_thrown_away",
        exercise="train_epoch",
        level=1,
        says="augment is called and what it returns is not used; it returns new images",
        twist={"x = x if augment is None else augment(x, rng)": "_ = x if augment is None else augment(x, rng)"},
    ),
    Mistake(
        name="bytes_let_through",
        exercise="train_epoch",
        level=2,
        says="bytes reach the model, which computes them in float64, a hundred times too large",
        twist={'        _check_float(x, "train_epoch")\n': ""},
    ),
    # --- evaluate ---------------------------------------------------------------------------------
    Mistake(
        name="evaluated_in_training_mode",
        exercise="evaluate",
        level=1,
        says="the model is evaluated in training mode, where batch norms look at the batch and learn from it",
        twist={"    model.eval()\n    try": "    try"},
    ),
    Mistake(
        name="left_in_eval_mode",
        exercise="evaluate",
        level=1,
        says="the model stays in eval mode, so the training that goes on after it is no training",
        twist={"        if was_training:\n            model.train()": "        pass"},
    ),
    Mistake(
        name="always_back_to_training",
        exercise="evaluate",
        level=2,
        says="the model is set to training mode afterwards also where it was in eval mode before",
        twist={"        if was_training:\n            model.train()": "        model.train()"},
    ),
    Mistake(
        name="mode_lost_in_a_failure",
        exercise="evaluate",
        level=3,
        says="where the model fails on the way it is left in eval mode; put the mode back in a finally",
        twist={
            "    finally:\n        if was_training:\n            model.train()": (
                "    except ZeroDivisionError:\n        raise\n    if was_training:\n        model.train()"
            )
        },
    ),
    Mistake(
        name="mean_of_batch_accuracies",
        exercise="evaluate",
        level=2,
        says="the batches' accuracies are averaged, so images of a short last batch count more; count right answers",
        twist={
            "int(np.count_nonzero(model(x).argmax(axis=1) == y))": "float(np.mean(model(x).argmax(axis=1) == y))",
            "return right / len(labels)": "return right / -(-len(labels) // batch_size)",
        },
    ),
    Mistake(
        name="ties_count_as_right",
        exercise="evaluate",
        level=2,
        says="a label whose score ties with the largest counts as right, so equal scores get 1; argmax takes one class",
        twist={
            "model(x).argmax(axis=1) == y": "[z[label] >= z.max() for z, label in zip(model(x), y, strict=True)]",
        },
    ),
    Mistake(
        name="accuracy_in_percent",
        exercise="evaluate",
        level=1,
        says="the accuracy is in percent; it is a share, 0 to 1",
        twist={"return right / len(labels)": "return 100 * right / len(labels)"},
    ),
    Mistake(
        name="rest_not_evaluated",
        exercise="evaluate",
        level=2,
        says="a last batch that is not full is not evaluated, and its images count as wrong",
        twist={
            "for x, y in iterate_batches(images, labels, batch_size)": (
                "for x, y in iterate_batches(images, labels, batch_size, drop_last=True)"
            )
        },
    ),
    # --- fit --------------------------------------------------------------------------------------
    Mistake(
        name="a_cycle_an_epoch",
        exercise="fit",
        level=2,
        says="every epoch has a cycle of its own; one cycle spans the whole training",
        twist={"one_cycle_lr(done + k, epochs * batches, peak_lr)": "one_cycle_lr(k, batches, peak_lr)"},
    ),
    Mistake(
        name="cycle_begun_again",
        exercise="fit",
        level=2,
        says="every epoch asks for the rates of the first; add the batches of the epochs before to k",
        twist={"one_cycle_lr(done + k, epochs * batches, peak_lr)": "one_cycle_lr(k, epochs * batches, peak_lr)"},
    ),
    Mistake(
        name="rate_stays_at_the_peak",
        exercise="fit",
        level=1,
        says="every batch is trained at the peak rate; one_cycle_lr is not asked",
        twist={
            "return one_cycle_lr(done + k, epochs * batches, peak_lr)": "return peak_lr",
        },
    ),
    Mistake(
        name="short_batch_not_counted",
        exercise="fit",
        level=2,
        says="len // batch_size forgets the short batch, so the cycle is over before the training is",
        twist={"-(-len(images) // batch_size)": "max(len(images) // batch_size, 1)"},
    ),
    Mistake(
        name="nesterov_not_asked_for",
        exercise="fit",
        level=1,
        says="the optimizer has momentum without Nesterov's look ahead",
        twist={"nesterov=momentum > 0": "nesterov=False"},
    ),
    Mistake(
        name="nesterov_always_asked_for",
        exercise="fit",
        level=2,
        says="Nesterov is asked for also where momentum is 0, which SGD refuses",
        twist={"nesterov=momentum > 0": "nesterov=True"},
    ),
    Mistake(
        name="velocity_lost_between_epochs",
        exercise="fit",
        level=2,
        says="every epoch has a new optimizer, so the velocity is lost; make it once",
        twist={
            "        def lr(k, done": (
                "        optimizer = SGD(\n"
                "            model.parameters(), peak_lr, momentum, weight_decay, nesterov=momentum != 0\n"
                "        )\n\n"
                "        def lr(k, done"
            )
        },
    ),
    Mistake(
        name="decay_not_handed_on",
        exercise="fit",
        level=1,
        says="weight_decay does not reach the optimizer",
        twist={"peak_lr, momentum, weight_decay, nesterov=": "peak_lr, momentum, 0.0, nesterov="},
    ),
    Mistake(
        name="epochs_from_one",
        exercise="fit",
        level=1,
        says="the epochs are counted from 1; the first is 0",
        twist={'{"epoch": epoch,': '{"epoch": epoch + 1,'},
    ),
    Mistake(
        name="accuracy_on_the_training_images",
        exercise="fit",
        level=1,
        says="the accuracy is measured on the images that were learned from",
        twist={"evaluate(model, *test)": "evaluate(model, images, labels)"},
    ),
    Mistake(
        name="accuracy_before_the_epoch",
        exercise="fit",
        level=2,
        says="the accuracy is measured before the epoch's training; it is that after it",
        twist={
            "        loss = train_epoch(": (
                "        accuracy = None if test is None else evaluate(model, test[0], test[1])\n"
                "        loss = train_epoch("
            ),
            "        accuracy = None if test is None else evaluate(model, *test)\n": "",
        },
    ),
    Mistake(
        name="generator_kept_back",
        exercise="fit",
        level=1,
        says="the generator does not reach the epochs: nothing is shuffled",
        twist={
            "batch_size, rng, label_smoothing, augment, lr)": "batch_size, None, label_smoothing, augment, lr)",
        },
    ),
    Mistake(
        name="shuffled_unasked",
        exercise="fit",
        level=2,
        says="without a generator one is made up; without one the order is kept",
        twist={
            "    images, labels = train\n": "    images, labels = train\n    rng = rng or np.random.default_rng(0)\n"
        },
    ),
    Mistake(
        name="test_images_learned",
        exercise="fit",
        level=1,
        says="the test images join the training, so their accuracy measures memory",
        twist={
            "    images, labels = train\n": (
                "    images, labels = train if test is None else map(np.concatenate, zip(train, test, strict=True))\n"
            )
        },
    ),
    Mistake(
        name="smoothing_kept_back",
        exercise="fit",
        level=1,
        says="label_smoothing does not reach the epochs",
        twist={"batch_size, rng, label_smoothing, augment, lr)": "batch_size, rng, 0.0, augment, lr)"},
    ),
    Mistake(
        name="no_epochs_accepted",
        exercise="fit",
        level=1,
        says="zero epochs pass and return an empty history; they are an error",
        twist={"if epochs < 1:": "if epochs < 0:"},
    ),
]


# --- probes: files ------------------------------------------------------------------------------


def _records(rng, labels):
    """Random records with the given labels, as an array of bytes."""
    data = rng.integers(0, 256, (len(labels), 3073)).astype(np.uint8)
    data[:, 0] = labels
    return data


def _read(solution, data):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "batch.bin"
        path.write_bytes(bytes(data))
        images, labels = solution.read_batch(path)
        return images.copy(), labels.copy()


@probe("read_batch")
def good_file(solution, rng):
    data = _records(rng, [3, 0, 9])
    data[:, -1] %= 10
    return _read(solution, data.tobytes())


@probe("read_batch")
def missing_file(solution, rng):
    try:
        return len(solution.read_batch(Path(tempfile.gettempdir()) / "kata-no-such-folder" / "absent.bin")[1])
    except (OSError, ValueError):
        return "no such file"


@probe("read_batch")
def truncated_file(solution, rng):
    return _read(solution, _records(rng, [3, 0, 9]).tobytes()[:-7])


@probe("read_batch")
def empty_file(solution, rng):
    return _read(solution, b"")


@probe("read_batch")
def label_ten(solution, rng):
    return _read(solution, _records(rng, [3, 10]).tobytes())[1]


@probe("read_batch")
def label_seventy(solution, rng):
    return _read(solution, _records(rng, [3, 70]).tobytes())[1]


def _load(solution, rng, split, inner=False, without=None):
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "cifar-10-batches-bin" if inner else Path(folder)
        home.mkdir(exist_ok=True)
        for number, name in enumerate([f"data_batch_{n}.bin" for n in range(1, 6)] + ["test_batch.bin"]):
            if name != without:
                (home / name).write_bytes(_records(rng, [number] * (1 + number % 2)).tobytes())
        try:
            images, labels = solution.load_cifar10(folder, split)
        except OSError:
            return "no such file"
        return images[:, :, 0, 0], labels


@probe("load_cifar10")
def both_splits(solution, rng):
    return [_load(solution, rng, split) for split in ("train", "test")]


@probe("load_cifar10")
def inner_folder(solution, rng):
    return _load(solution, rng, "train", inner=True)


@probe("load_cifar10")
def third_file_missing(solution, rng):
    try:
        return _load(solution, rng, "train", without="data_batch_3.bin")
    except ValueError:
        return "no such file"


@probe("load_cifar10")
def another_split(solution, rng):
    return _load(solution, rng, "validation")


# --- probes: images -----------------------------------------------------------------------------


def _bytes(rng, *shape):
    return rng.integers(0, 256, shape).astype(np.uint8)


@probe("channel_statistics")
def statistics_of_unequal_images(solution, rng):
    images = _bytes(rng, 3, 2, 4, 5)
    images[0] //= 4
    images[:, 1] //= 2
    return solution.channel_statistics(images)


@probe("normalize")
def normalised(solution, rng):
    images, mean = _bytes(rng, 2, 3, 5, 4), rng.uniform(0.3, 0.6, 3).astype(np.float32)
    return solution.normalize(images, mean, rng.uniform(0.1, 0.4, 3).astype(np.float32))


@probe("normalize")
def normalised_as_wide_as_deep(solution, rng):
    mean = rng.uniform(0.3, 0.6, 3).astype(np.float32)
    return solution.normalize(_bytes(rng, 2, 3, 5, 3), mean, rng.uniform(0.1, 0.4, 3).astype(np.float32))


@probe("normalize")
def no_spread(solution, rng):
    images = _bytes(rng, 2, 2, 5, 3)
    return solution.normalize(images, np.array([0.5, 0.5], np.float32), np.array([0.25, 0.0], np.float32))


def _places(cropped, images, ph, pw):
    """The place each crop was cut from, None where there is none: of all channels, then of the first alone."""
    H, W = images.shape[2:]
    padded = np.pad(images, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    whole, first = [None] * len(images), [None] * len(images)
    for top, left in np.ndindex(2 * ph + 1, 2 * pw + 1):
        fits = (cropped == padded[:, :, top : top + H, left : left + W]).all(axis=(2, 3))
        for n in np.flatnonzero(fits[:, 0]):
            first[n] = top, left
            whole[n] = (top, left) if fits[n].all() else whole[n]
    return whole, first


@probe("random_crop")
def crops(solution, rng):
    """Which places occur, and whether images and channels are moved together."""
    images = (1 + np.arange(2 * 3 * 4).reshape(1, 2, 3, 4) + np.zeros((400, 1, 1, 1))).astype(np.float32)
    cropped = solution.random_crop(images, (1, 2), rng)
    whole, first = _places(cropped, images, 1, 2)
    return str(cropped.dtype), sorted(map(str, set(whole))), sorted(map(str, set(first)))


@probe("random_crop")
def moved_together(solution, rng):
    images = (1 + np.arange(2 * 5 * 4).reshape(1, 2, 5, 4) + np.zeros((50, 1, 1, 1))).astype(np.float32)
    return len(set(_places(solution.random_crop(images, 2, rng), images, 2, 2)[0])) > 1


@probe("random_crop")
def crops_again(solution, rng):
    """Whether one seed gives the same crops twice."""
    images = _bytes(rng, 60, 1, 5, 6)
    same = [solution.random_crop(images, 2, np.random.default_rng(9)) for _ in range(2)]
    return bool(np.array_equal(*same))


def _numbered(N, seed_shape=(2, 3, 4)):
    return np.arange(N * int(np.prod(seed_shape)), dtype=np.float32).reshape(N, *seed_shape)


@probe("random_flip")
def flips(solution, rng):
    """What becomes of images: plain, columns reversed, rows reversed, both, or something else; and how often."""
    images = _numbered(300)
    before = images.copy()
    flipped = solution.random_flip(images, rng)
    kinds = {
        "plain": np.s_[:, :, :],
        "columns": np.s_[:, :, ::-1],
        "rows": np.s_[:, ::-1],
        "both": np.s_[:, ::-1, ::-1],
    }
    found = [
        next((name for name, view in kinds.items() if np.array_equal(got, image[view])), "other")
        for got, image in zip(flipped, before, strict=True)
    ]
    return str(flipped.dtype), sorted(set(found)), bool(np.array_equal(images, before))


@probe("random_flip")
def flips_alone(solution, rng):
    """Whether one batch has both plain and mirrored images, in each of several calls, and whether a seed repeats."""
    images = _numbered(60)
    changed = [(solution.random_flip(images.copy(), rng) != images).any(axis=(1, 2, 3)) for _ in range(6)]
    same = [solution.random_flip(images.copy(), np.random.default_rng(9)) for _ in range(2)]
    return bool(np.any(changed)), bool(np.all(changed)), [len(set(c)) for c in changed], bool(np.array_equal(*same))


# --- probes: batches ----------------------------------------------------------------------------


@probe("iterate_batches")
def plain_batches(solution, rng):
    images = _numbered(7)
    return [(x.copy(), y.copy()) for x, y in solution.iterate_batches(images, np.arange(7), 3)]


@probe("iterate_batches")
def full_batches(solution, rng):
    return [
        [y.tolist() for _, y in solution.iterate_batches(_numbered(N), np.arange(N), 3, drop_last=True)] for N in (7, 6)
    ]


@probe("iterate_batches")
def shuffled_batches(solution, rng):
    """Whether labels follow images, every image comes once, the order is new each time, the data stay as they are."""
    images, labels = np.arange(40.0).reshape(40, 1, 1, 1), np.arange(40)
    orders = []
    for _ in range(2):
        batches = list(solution.iterate_batches(images, labels, 7, rng))
        orders.append([(int(i), int(l)) for x, y in batches for i, l in zip(x.ravel(), y, strict=True)])
    return {
        "together": all(i == l for order in orders for i, l in order),
        "labels in place": [l for _, l in orders[0]] == list(range(40)),
        "each once": [sorted(i for i, _ in order) == list(range(40)) for order in orders],
        "new order": orders[0] != orders[1],
        "data as they were": bool(np.array_equal(labels, np.arange(40))),
    }


# --- probes: the loss ---------------------------------------------------------------------------


@probe("cross_entropy_forward")
def losses(solution, rng):
    logits, labels = 2 * rng.standard_normal((4, 3)), np.array([2, 0, 1, 1])
    return [float(solution.cross_entropy_forward(logits, labels, s)[0]) for s in (0.0, 0.3)]


@probe("cross_entropy_forward")
def large_scores(solution, rng):
    return float(solution.cross_entropy_forward(np.array([[1000.0, 998.0]]), np.array([1]))[0])


@probe("cross_entropy_forward")
def rows_far_apart(solution, rng):
    logits = np.array([[600.0, 599.0], [-600.0, -602.0]])
    return float(solution.cross_entropy_forward(logits, np.array([1, 0]))[0])


@probe("cross_entropy_forward")
def hopeless_label(solution, rng):
    return float(solution.cross_entropy_forward(np.array([[0.0, 900.0]]), np.array([0]))[0])


@probe("cross_entropy_forward")
def label_minus_one(solution, rng):
    return float(solution.cross_entropy_forward(rng.standard_normal((2, 3)), np.array([0, -1]))[0])


@probe("cross_entropy_backward")
def gradients(solution, rng):
    found = []
    for smoothing in (0.0, 0.3):
        logits = rng.standard_normal((4, 3)).astype(np.float32)
        _, cache = solution.cross_entropy_forward(logits, np.array([2, 0, 1, 1]), smoothing)
        found.append([solution.cross_entropy_backward(cache).copy() for _ in range(2)])
    return found


@probe("cross_entropy_backward")
def no_loop(solution, rng):
    """Whether 60 images take as many Python instructions as 3."""
    caches = [solution.cross_entropy_forward(np.zeros((N, 4)), np.arange(N) % 4)[1] for N in (3, 60)]
    few, many = (count_bytecodes(lambda cache=cache: solution.cross_entropy_backward(cache)) for cache in caches)
    return many - few < 50


# --- probes: training ---------------------------------------------------------------------------
#
# train_epoch, evaluate and fit are made of the exercises before them. Their probes look at those as well, so
# that a mistake in a part is not taken for the same mistake in the whole.


class Weight:
    def __init__(self, value):
        self.value = np.array(value, np.float32)
        self.grad = np.zeros_like(self.value)


class Dense:
    """One dense layer on flattened images, which notes the modes and batches it sees."""

    def __init__(self, rng, features, classes):
        self.weight, self.bias = Weight(rng.standard_normal((classes, features))), Weight(np.zeros(classes))
        self.training, self.modes, self.batches = True, [], []

    def __call__(self, x):
        return self.forward(x)

    def forward(self, x):
        self.modes.append(self.training)
        self.batches.append(x.copy())
        self._x = x.reshape(len(x), -1)
        return self._x @ self.weight.value.T + self.bias.value

    def backward(self, dout):
        self.weight.grad += dout.T @ self._x
        self.bias.grad += dout.sum(axis=0)
        return (dout @ self.weight.value).reshape(self.batches[-1].shape)

    def parameters(self):
        return [self.weight, self.bias]

    def train(self):
        self.training = True
        return self

    def eval(self):
        self.training = False
        return self


@probe("SGD")
def optimizer_steps(solution, rng):
    """Values after steps of every kind, with the rate changed on the way, and gradients after them."""
    found = []
    for momentum, decay, nesterov in [(0.0, 0.0, False), (0.6, 0.0, False), (0.6, 0.3, False), (0.6, 0.3, True)]:
        weights = [Weight(rng.standard_normal((2, 3))), Weight(rng.standard_normal(4))]
        optimizer = solution.SGD(weights, 0.2, momentum, decay, nesterov)
        gradients = [rng.standard_normal(weight.value.shape) for weight in weights]
        for weight, gradient in zip(weights, gradients, strict=True):
            weight.grad[...] = gradient
        for lr in (0.2, 0.1, 0.4):
            optimizer.lr = lr
            optimizer.step()
            found.append([weight.value.copy() for weight in weights])
        found.append([weight.grad.copy() for weight in weights])
    return found


@probe("SGD")
def optimizer_in_place(solution, rng):
    """Whether values and gradients stay in their arrays, and what zero_grad leaves of the momentum."""
    weight = Weight(rng.standard_normal(5))
    value, gradient = weight.value, weight.grad
    optimizer = solution.SGD([weight], 0.2, 0.5)
    weight.grad[...] = rng.standard_normal(5)
    optimizer.step()
    held = weight.value is value
    optimizer.zero_grad()
    cleared = weight.grad is gradient, weight.grad.copy()
    optimizer.step()
    return held, cleared, weight.value.copy()


@probe("SGD")
def negative_rate(solution, rng):
    return solution.SGD([Weight([1.0])], -0.1).lr


@probe("SGD")
def nesterov_alone(solution, rng):
    return solution.SGD([Weight([1.0])], 0.1, nesterov=True).lr


@probe("one_cycle_lr")
def rates(solution, rng):
    return [
        [float(solution.one_cycle_lr(step, total, 0.7, warmup)) for step in range(total + 1)]
        for total, warmup in ((8, 0.25), (11, 0.4))
    ]


@probe("one_cycle_lr")
def rate_beyond_the_last_step(solution, rng):
    return float(solution.one_cycle_lr(9, 8, 0.7))


@probe("simple_cnn")
def network(solution, rng):
    """Shapes, and the scores with weights of the probe's own."""
    net = solution.simple_cnn(num_classes=4, rng=np.random.default_rng(7))
    shapes = [parameter.value.shape for parameter in net.parameters()]
    for parameter in net.parameters():
        parameter.value[...] = 0.05 * rng.standard_normal(parameter.value.shape)
    return shapes, net(rng.standard_normal((1, 3, 32, 32)).astype(np.float32))


@probe("simple_cnn")
def first_weights(solution, rng):
    """Whether one seed makes one network."""
    nets = [solution.simple_cnn(rng=np.random.default_rng(7)).parameters() for _ in range(2)]
    return [bool(np.array_equal(a.value, b.value)) for a, b in zip(*nets, strict=True)]


def _data(rng, N=7):
    return rng.standard_normal((N, 1, 2, 3)).astype(np.float32), rng.integers(0, 3, N)


@probe("train_epoch")
def epochs_in_order(solution, rng):
    """Losses and weights of two epochs without a generator, smoothed, with rates of their own and augmentation."""
    (images, labels), model = _data(rng), Dense(rng, 6, 3).eval()
    optimizer = solution.SGD(model.parameters(), 0.1, 0.5)
    found = []
    for _ in range(2):
        loss = solution.train_epoch(
            model,
            optimizer,
            images,
            labels,
            batch_size=3,
            label_smoothing=0.2,
            augment=lambda x, rng: 2 * x,
            lr=lambda k: 0.1 * (k + 1),
        )
        found.append((np.float32(loss), model.weight.value.copy(), sorted(set(model.modes))))
    return found, losses(solution, rng), plain_batches(solution, rng)


@probe("train_epoch")
def epoch_in_another_order(solution, rng):
    """Whether the order is new and one seed's own, how many images are seen, and the rate afterwards."""
    images, labels = _data(rng, 20)
    models = [Dense(np.random.default_rng(8), 6, 3) for _ in range(2)]
    for model in models:
        optimizer = solution.SGD(model.parameters(), 0.3)
        solution.train_epoch(model, optimizer, images, labels, 5, np.random.default_rng(9))
    seen, again = (np.concatenate(model.batches) for model in models)
    found = len(seen), bool(np.array_equal(seen[:20], images)), bool(np.array_equal(seen, again)), optimizer.lr
    return found, shuffled_batches(solution, rng)


@probe("train_epoch")
def epoch_on_bytes(solution, rng):
    model = Dense(rng, 6, 3)
    solution.train_epoch(model, solution.SGD(model.parameters(), 0.1), _bytes(rng, 4, 1, 2, 3), np.zeros(4, np.int64))


@probe("evaluate")
def accuracies(solution, rng):
    """Accuracies and modes, for batches of several sizes and a model in either mode."""
    found = []
    for training in (True, False):
        images, labels = _data(rng, 7)
        model = Dense(rng, 6, 3)
        labels[:5] = model(images).argmax(axis=1)[:5]
        labels[5:] = (model(images).argmin(axis=1))[5:]
        for batch_size in (7, 3):
            model.training, model.modes = training, []
            accuracy = np.float32(solution.evaluate(model, images, labels, batch_size))
            found.append((accuracy, sorted(set(model.modes)), model.training))
    return found, plain_batches(solution, rng)


@probe("evaluate")
def accuracy_of_equal_scores(solution, rng):
    model = Dense(rng, 6, 3)
    model.weight.value[...] = 0
    return np.float32(solution.evaluate(model, *_data(rng, 8)))


@probe("evaluate")
def mode_after_failure(solution, rng):
    model = Dense(rng, 5, 3)
    try:
        solution.evaluate(model, *_data(rng))
    except ValueError:
        return model.training


def _rounded(entry):
    """An epoch's figures in float32: how a loss is summed is not what a mistake is known by."""
    return {key: np.float32(value) if isinstance(value, float) else value for key, value in entry.items()}


@probe("fit")
def histories(solution, rng):
    """Histories and weights of trainings without a generator."""
    found = []
    for momentum, smoothing in ((0.7, 0.0), (0.0, 0.2)):
        model, train, test = Dense(rng, 6, 3), _data(rng, 7), _data(rng, 29)
        history = solution.fit(
            model, train, test, 3, batch_size=3, peak_lr=0.8, momentum=momentum, weight_decay=0.05,
            label_smoothing=smoothing,
        )  # fmt: skip
        found.append(([_rounded(entry) for entry in history], model.weight.value.copy()))
    return found, optimizer_steps(solution, rng), epochs_in_order(solution, rng)


@probe("fit")
def fit_shuffles(solution, rng):
    (images, labels), model = _data(rng, 20), Dense(rng, 6, 3)
    solution.fit(model, (images, labels), batch_size=5, rng=rng)
    seen = np.concatenate(model.batches)
    return len(seen), bool(np.array_equal(seen, images)), epoch_in_another_order(solution, rng)


@probe("fit")
def fit_without_epochs(solution, rng):
    return solution.fit(Dense(rng, 6, 3), _data(rng), epochs=0)
