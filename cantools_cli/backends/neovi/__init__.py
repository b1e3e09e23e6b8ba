"""Interface ``neovi``: the neoVI and ValueCAN devices of Intrepid Control Systems."""
