"""PyTorch's training step on a GPU, for `penstock bench train --device cuda` to stand beside.

One network, one batch of made-up pixels that stays on the device, channels_last, autocast, SGD with Nesterov
momentum; eager or compiled. Prints one line of JSON; ends with 77 where there is no PyTorch or no GPU.
"""

import argparse
import json
import statistics
import sys
import time

SKIPPED = 77
NUM_ROUNDS = 5
ROUND_SECONDS = 1.0


def skip(reason):
    print(f"SKIPPED: torch_gpu_step: {reason}")
    sys.exit(SKIPPED)


def resnet9(torch, num_classes):
    """The network of train/graph/zoo/resnet9.cpp."""
    nn = torch.nn

    def conv_bn_relu(from_channels, filters):
        return nn.Sequential(nn.Conv2d(from_channels, filters, 3, padding=1, bias=False), nn.BatchNorm2d(filters),
                             nn.ReLU(inplace=True))

    class Residual(nn.Module):
        def __init__(self, filters):
            super().__init__()
            self.inner = nn.Sequential(conv_bn_relu(filters, filters), conv_bn_relu(filters, filters))

        def forward(self, x):
            return x + self.inner(x)

    return nn.Sequential(conv_bn_relu(3, 64), conv_bn_relu(64, 128), nn.MaxPool2d(2), Residual(128),
                         conv_bn_relu(128, 256), nn.MaxPool2d(2), conv_bn_relu(256, 512), nn.MaxPool2d(2),
                         Residual(512), nn.AdaptiveMaxPool2d(1), nn.Flatten(),
                         nn.Linear(512, num_classes, bias=False))


def network(torch, name, num_classes):
    if name == "resnet9":
        return resnet9(torch, num_classes)
    import torchvision

    return getattr(torchvision.models, name)(num_classes=num_classes)


def make_step(torch, options):
    device = torch.device("cuda")
    torch.manual_seed(1)
    torch.backends.cudnn.benchmark = True
    model = network(torch, options.model, options.classes).train().to(device, memory_format=torch.channels_last)
    pixels = torch.randn(options.batch_size, 3, options.image_size, options.image_size, device=device)
    pixels = pixels.to(memory_format=torch.channels_last)
    labels = torch.randint(0, options.classes, (options.batch_size,), device=device)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4, momentum=0.9, nesterov=True, weight_decay=5e-4,
                                fused=True)
    is_float16 = options.precision == "float16"
    scaler = torch.amp.GradScaler("cuda", enabled=is_float16)
    if options.compiled:
        model = torch.compile(model, mode="max-autotune" if options.autotune else None)
    half = {"float16": torch.float16, "bfloat16": torch.bfloat16}.get(options.precision)

    def take():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cuda", dtype=half, enabled=half is not None):
            loss = torch.nn.functional.cross_entropy(model(pixels), labels)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()

    return take


def seconds_of(torch, take, num_steps):
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(num_steps):
        take()
    torch.cuda.synchronize()
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="resnet9, or a name of torchvision")
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--image-size", type=int, required=True)
    parser.add_argument("--batch-size", type=int, required=True)
    parser.add_argument("--precision", choices=["float32", "float16", "bfloat16"], default="float16")
    parser.add_argument("--compiled", action="store_true", help="through torch.compile")
    parser.add_argument("--autotune", action="store_true", help="with mode max-autotune")
    options = parser.parse_args()
    try:
        import torch
    except ImportError as error:
        skip(error)
    if not torch.cuda.is_available():
        skip("PyTorch finds no GPU")

    take = make_step(torch, options)
    start_s = seconds_of(torch, take, 3)
    num_steps = max(3, round(ROUND_SECONDS / (seconds_of(torch, take, 3) / 3)))
    rates = [num_steps * options.batch_size / seconds_of(torch, take, num_steps) for _ in range(NUM_ROUNDS)]
    print("FIGURES: " + json.dumps({
        "torch": torch.__version__, "cudnn": torch.backends.cudnn.version(),
        "device": torch.cuda.get_device_name(0), **vars(options), "start_s": start_s, "num_steps": num_steps,
        "images_per_s": {"median": statistics.median(rates), "low": min(rates), "high": max(rates)},
        "peak_bytes": torch.cuda.max_memory_allocated()}), flush=True)


if __name__ == "__main__":
    main()
