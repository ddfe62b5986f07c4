//! Steps that act: scripts that use the tools of their body, and programs. What becomes of workers is in `ending`.

mod commands;
mod scripts;
