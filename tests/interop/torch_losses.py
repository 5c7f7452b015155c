"""50 steps of ResNet-18 at 64 x 64 in float32, from the same weights on the same batches, with PyTorch and
with model_probe: the losses of all steps agree.

    torch_losses.py MODEL_PROBE PTH_TO_SAFETENSORS [TENSOR_PROBE]
    torch_losses.py --cuda MODEL_PROBE PTH_TO_SAFETENSORS    20 steps, both on the GPU, without TF32

Rounding grows from step to step. Blocks begin as nothing (zero_init_residual, what the zoo does too) and the
rate is small, so that it grows little: 50 steps of PyTorch from weights that are moved by 1e-7 of themselves
then differ by less than 3e-4 even at twice the rate. With blocks as torchvision draws them they differ by 3 %
at a fifth of it. The decay is large, so that it shows: without it losses differ by 1.1e-2, with a fifth of it by
8e-3."""

import os
import subprocess
import sys
import tempfile

from probe import SKIPPED, Report, needs

numpy, torch, torchvision = needs("numpy", "torch", "torchvision")

IS_ON_GPU = sys.argv[1] == "--cuda"
DEVICE = "cuda" if IS_ON_GPU else "cpu"
NUM_STEPS, BATCH, SIDE_PX, NUM_CLASSES = 20 if IS_ON_GPU else 50, 8, 64, 10
LEARNING_RATE, MOMENTUM, WEIGHT_DECAY = 5e-4, 0.9, 0.5


def batches():
    """Noise over a pattern of the class: something to learn."""
    random = numpy.random.RandomState(7)
    patterns = random.standard_normal((NUM_CLASSES, 3, 8, 8)).repeat(8, axis=2).repeat(8, axis=3)
    labels = random.randint(0, NUM_CLASSES, (NUM_STEPS, BATCH))
    pixels = patterns[labels] + random.standard_normal((NUM_STEPS, BATCH, 3, SIDE_PX, SIDE_PX))
    return pixels.astype(numpy.float32), labels


def torch_losses(model, pixels, labels):
    model = model.to(DEVICE)
    decayed = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() == 1]
    optimizer = torch.optim.SGD([{"params": decayed, "weight_decay": WEIGHT_DECAY}, {"params": others}],
                                lr=LEARNING_RATE, momentum=MOMENTUM)
    losses = []
    for step in range(NUM_STEPS):
        logits = model.train()(torch.from_numpy(pixels[step]).to(DEVICE))
        loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(labels[step]).to(DEVICE))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return numpy.array(losses)


def probe_losses(probe, weights, file):
    device = ["cuda"] if IS_ON_GPU else []
    done = subprocess.run([probe, "losses", "resnet18", str(NUM_CLASSES), weights, file, str(LEARNING_RATE),
                           str(WEIGHT_DECAY)] + device, capture_output=True, text=True, timeout=500)
    if done.returncode != 0:
        sys.exit(f"{probe}: {done.stderr}")
    return numpy.array([float(line) for line in done.stdout.split()])


def main():
    probe, converter = sys.argv[2:4] if IS_ON_GPU else sys.argv[1:3]
    sys.path.insert(0, os.path.dirname(converter))
    from pth_to_safetensors import to_float32, write_safetensors

    if IS_ON_GPU and not torch.cuda.is_available():
        print("SKIPPED: torch_losses: PyTorch finds no GPU")
        sys.exit(SKIPPED)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.set_num_threads(1)
    torch.manual_seed(1)
    model = torchvision.models.resnet18(weights=None, num_classes=NUM_CLASSES, zero_init_residual=True)
    pixels, labels = batches()
    with tempfile.TemporaryDirectory() as folder:
        weights, file = (os.path.join(folder, name) for name in ("weights.safetensors", "batches.safetensors"))
        write_safetensors(weights, to_float32(model.state_dict())[0])
        write_safetensors(file, {"pixels": pixels, "labels": labels.astype(numpy.float32)})
        found = probe_losses(probe, weights, file)
    expected = torch_losses(model, pixels, labels)
    report = Report()
    report.at_most("losses that are missing", abs(len(found) - NUM_STEPS), 0)
    print(f"torch's losses: {expected[0]:.4g} at first, {expected[-5:].mean():.4g} over the last five")
    report.at_most("largest relative difference of a loss", (numpy.abs(found - expected) / expected).max(), 1e-3)
    report.end()


main()
