//! Built-ins.
