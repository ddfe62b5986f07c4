//! Files of one base directory (being written).
