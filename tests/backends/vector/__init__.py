"""The interface ``vector`` on an emulated XL Driver Library."""
