"""Interface ``kvaser``: a channel of a Kvaser device, through the vendor's library CANlib."""
