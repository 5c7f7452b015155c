// A library that a module needs.
extern "C" int fake_cuda_dependency() {
  return 9;
}
