//! Steps that act: scripts that use the tools of their body, programs, files that are written. What becomes of workers
//! is in `ending`.

mod commands;
mod files;
mod scripts;
