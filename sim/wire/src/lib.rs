//! Byte formats on links and disks.
