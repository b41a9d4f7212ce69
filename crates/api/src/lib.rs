//! The HTTP API: one file per route with its declaration, its types and its handler.
