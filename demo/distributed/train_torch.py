"""Training with Keras on PyTorch in several processes, with DistributedDataParallel.

    torchrun --nproc-per-node 2 demo/distributed/train_torch.py

On GPUs, start one process per GPU with --nproc-per-node gpu; on several machines, use torchrun's
--nnodes and --rdzv-endpoint.
"""

import argparse
import os

if __name__ == "__main__":  # --help is answered before PyTorch and Keras are imported
    parser = argparse.ArgumentParser(
        usage="torchrun --nproc-per-node 2 demo/distributed/train_torch.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args()
    if "RANK" not in os.environ:
        parser.error("torchrun starts this program, as its usage says")

os.environ["KERAS_BACKEND"] = "torch"

import common
import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

STEPS = 20


class Loss(torch.nn.Module):
    """Computes the loss of a batch inside the wrapped module, which synchronizes the gradients."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, inputs, outputs):
        return self.model.compute_loss(inputs, outputs, self.model(inputs, training=True))


def main():
    if torch.cuda.is_available():  # before Keras creates a weight
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group()
    process, processes = distributed.get_rank(), distributed.get_world_size()
    model = common.new_model()
    weights = model.trainable_weights
    loss_of = DistributedDataParallel(Loss(model))
    device = weights[0].value.device
    own = [
        [torch.as_tensor(each, device=device) for each in common.own_rows(part, process, processes)]
        for part in common.batches(STEPS)
    ]
    rows = common.ROWS // processes
    report = common.Report(f"{processes} processes, process {process}")
    total = 0.0
    for step in range(STEPS):
        inputs, outputs = ([each[step * rows :][:rows] for each in part] for part in own)
        model.zero_grad()
        loss = loss_of(inputs, outputs)
        loss.backward()
        with torch.no_grad():
            model.optimizer.apply([each.value.grad for each in weights], weights)
            distributed.all_reduce(loss)
        total += loss.item() / processes
        report.add(total / (step + 1))
    report.show()
    # Deleted after the group, the wrapper would end the group's threads while it holds Python's
    # lock, for which they may wait: neither would ever end.
    del loss_of
    distributed.destroy_process_group()


if __name__ == "__main__":
    main()
