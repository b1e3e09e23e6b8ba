"""Interface ``cannelloni``: a tunnel for CAN frames over UDP or TCP."""
