"""One variant of PyTorch's training step in a process of its own.

Builds the network, takes two steps, prints {"ready": ...}; then for every number read on stdin takes as
many steps and prints their time. At the end of stdin prints the most memory that it held above what it
held once PyTorch was imported.
"""

import argparse
import json
import os
import resource
import sys
import time


def peak_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def paired_cnn(torch, num_classes, image_size):
    """The network of paired_cnn.toml."""
    nn = torch.nn
    layers = []
    channels = 3
    for filters in (32, 64, 128):
        for _ in range(2):
            layers += [nn.Conv2d(channels, filters, 3, padding=1, bias=False),
                       nn.BatchNorm2d(filters), nn.ReLU(inplace=True)]
            channels = filters
        layers.append(nn.MaxPool2d(2))
    features = channels * (image_size // 8) ** 2
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(features, num_classes))


def network(torch, name, num_classes, image_size):
    if name == "paired_cnn":
        return paired_cnn(torch, num_classes, image_size)
    import torchvision

    return getattr(torchvision.models, name)(num_classes=num_classes)


class Step:
    def __init__(self, torch, options):
        self.torch = torch
        self.is_bfloat16 = options.precision == "bfloat16"
        torch.set_num_threads(options.threads)
        torch.manual_seed(1)
        self.model = network(torch, options.model, options.classes, options.image_size).train()
        self.pixels = torch.randn(options.batch_size, 3, options.image_size, options.image_size)
        self.labels = torch.randint(0, options.classes, (options.batch_size,))
        if options.layout == "channels_last":
            self.model = self.model.to(memory_format=torch.channels_last)
            self.pixels = self.pixels.to(memory_format=torch.channels_last)
        # As Penstock's default.
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=1e-4, momentum=0.9,
                                         nesterov=True, weight_decay=5e-4)

    def take(self):
        torch = self.torch
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.is_bfloat16):
            logits = self.model(self.pixels)
        loss = torch.nn.functional.cross_entropy(logits.float(), self.labels)
        loss.backward()
        self.optimizer.step()


def tell(**values):
    print(json.dumps(values), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--classes", type=int, required=True)
    parser.add_argument("--image-size", type=int, required=True)
    parser.add_argument("--batch-size", type=int, required=True)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--precision", choices=["float32", "bfloat16"], required=True)
    parser.add_argument("--layout", choices=["contiguous", "channels_last"], required=True)
    options = parser.parse_args()

    import torch

    if options.model != "paired_cnn":
        import torchvision  # noqa: F401  counts as imported, not as the step's memory
    held_before = peak_bytes()
    step = Step(torch, options)
    step.take()
    step.take()
    tell(ready=torch.__version__)
    for line in sys.stdin:
        cpu_start, start = time.process_time(), time.perf_counter()
        for _ in range(int(line)):
            step.take()
        tell(seconds=time.perf_counter() - start, cpu_seconds=time.process_time() - cpu_start)
    tell(peak_bytes=peak_bytes() - held_before)


if __name__ == "__main__":
    main()
