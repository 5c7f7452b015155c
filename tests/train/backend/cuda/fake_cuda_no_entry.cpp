// A library that is no module.
extern "C" int penstock_something_else() {
  return 0;
}
