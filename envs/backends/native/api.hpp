// How a C function is seen outside the extension.
#pragma once

#if defined(_WIN32)
#define PILL_API extern "C" __declspec(dllexport)
#else
#define PILL_API extern "C" __attribute__((visibility("default")))
#endif
