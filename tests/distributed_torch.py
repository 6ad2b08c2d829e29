"""Training by PyTorch's DistributedDataParallel, as one of two processes; started by tests."""

import sys

import torch
from distributed_training import ROWS, SLOTS, STEPS, batches, new_model, save, train, weights_of
from torch.nn.parallel import DistributedDataParallel
from train_torch import Loss


def in_two_processes(process, port):
    address = f"tcp://127.0.0.1:{port}"
    torch.distributed.init_process_group("gloo", address, world_size=2, rank=process)
    model = new_model(SLOTS)
    loss_of, losses, result = DistributedDataParallel(Loss(model)), [], {}
    for step in range(STEPS):
        first = step * ROWS + process * ROWS // 2
        inputs, outputs = (
            [torch.as_tensor(each[first : first + ROWS // 2]) for each in arrays]
            for arrays in batches(SLOTS)
        )
        loss = loss_of(inputs, outputs)
        model.zero_grad()
        loss.backward()
        weights = model.trainable_weights
        with torch.no_grad():
            model.optimizer.apply([each.value.grad for each in weights], weights)
            torch.distributed.all_reduce(loss)
        losses.append(loss.item() / 2)
        if step == 0:
            result |= {"loss 1": losses[0], **weights_of(model, "1")}
    if process == 0:  # alone, waiting for nobody
        model.evaluate(inputs, outputs, verbose=0)
    # Deleted after the group, the wrapper would end the group's threads while it holds Python's
    # lock, for which they may wait: neither would ever end.
    del loss_of
    torch.distributed.destroy_process_group()
    result |= {"loss all": sum(losses[1:]) / (STEPS - 1), **weights_of(model, "all")}
    return {f"process {process}": result}


if __name__ == "__main__":
    path, process, port = sys.argv[1:]
    results = in_two_processes(int(process), int(port))
    if process == "0":
        results["one device"] = train(new_model(), *batches())
    save(path, results)
