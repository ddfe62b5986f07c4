//! Laws of the algebra, checked on made-up tensors.
