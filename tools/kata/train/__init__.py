"""Training on CIFAR-10 with the code in `cnn`: what `tools/train.py` is made of. Start with `run`, then `loop`.

Nothing here imports numpy or `cnn` at its head except the modules that compute, and `train.py` imports those
only after it has set the number of threads and whose code `cnn` is.
"""
