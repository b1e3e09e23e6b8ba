"""Interface ``canalystii``: the CANalyst-II of Chuangxin Technology over USB, with two channels."""
