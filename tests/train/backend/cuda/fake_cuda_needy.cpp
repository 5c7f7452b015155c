// A module that needs a library. It has no entry: that it is reached shows in the message.
extern "C" int fake_cuda_dependency();

extern "C" int fake_cuda_needy() {
  return fake_cuda_dependency();
}
