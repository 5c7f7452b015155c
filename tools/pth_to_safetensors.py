#!/usr/bin/env python3
"""Weights of PyTorch as float32 safetensors, for penstock train --init-from.

    pth_to_safetensors.py IN OUT

IN is a state_dict as torch.save() writes it (.pth, .pt, .bin), alone or under "state_dict" or "model", or
a safetensors file of another type. OUT is written whole or not at all. Values of float16, bfloat16 and
float64 become float32; whole numbers, which count batches, are left out. Needs torch and numpy."""

import json
import os
import struct
import sys

NESTED = ("state_dict", "model_state_dict", "model")  # where training scripts keep it
PREFIXES = ("module.", "_orig_mod.")  # of DataParallel and torch.compile


def refuse(text):
    sys.exit(f"pth_to_safetensors: {text}")


def write_safetensors(path, arrays):
    """Writes arrays of float32 by name. The format: a length, a JSON header padded to 8 bytes, all values."""
    header, begin = {"__metadata__": {"format": "pt"}}, 0
    for name, array in arrays.items():
        end = begin + array.nbytes
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [begin, end]}
        begin = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    part = f"{path}.part"
    try:
        with open(part, "wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            for array in arrays.values():
                file.write(array.astype("<f4", copy=False).tobytes())
        os.replace(part, path)
    except BaseException:
        if os.path.exists(part):
            os.remove(part)
        raise


def read_state(path):
    """A dict of tensors. Nothing of the file is run: weights_only."""
    import torch

    if path.endswith(".safetensors"):
        from safetensors.torch import load_file

        return load_file(path)
    state = torch.load(path, map_location="cpu", weights_only=True)
    for key in NESTED:
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    is_tensors = isinstance(state, dict) and all(isinstance(one, torch.Tensor) for one in state.values())
    if not is_tensors or not state:
        refuse(f"{path}: expected tensors by name, alone or under {', '.join(NESTED)}; found something else")
    return state


def without_prefix(state):
    for prefix in PREFIXES:
        if all(name.startswith(prefix) for name in state):
            state = {name[len(prefix):]: tensor for name, tensor in state.items()}
    return state


def to_float32(state):
    """float32 arrays by name, and the names of what is left out."""
    import torch

    arrays, left_out = {}, []
    for name, tensor in state.items():
        if not tensor.is_floating_point():
            left_out.append(name)
            continue
        values = tensor.detach().to(torch.float32)
        if not torch.equal(torch.isfinite(values), torch.isfinite(tensor)):
            refuse(f"{name}: expected values that float32 holds, found larger ones")
        arrays[name] = values.contiguous().numpy()
    return arrays, left_out


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    source, target = sys.argv[1:]
    try:
        state = read_state(source)
    except Exception as error:  # torch raises what it likes for a file that is none of its own
        refuse(f"{source}: {str(error).strip().splitlines()[0] if str(error).strip() else repr(error)}")
    arrays, left_out = to_float32(without_prefix(state))
    write_safetensors(target, arrays)
    num_values = sum(array.size for array in arrays.values())
    print(f"{target}: {len(arrays)} tensors, {num_values:,} values")
    others = [name for name in left_out if not name.endswith("num_batches_tracked")]
    if others:
        print(f"left out, no floating-point numbers: {', '.join(others)}")


if __name__ == "__main__":
    main()
