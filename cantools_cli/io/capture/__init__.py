"""Captures of Wireshark and tcpdump: pcap and pcapng.

``pcap`` and ``pcapng`` describe the two file formats and hold their readers and writers, which share the
loops of ``reader`` and ``writer``. ``records`` decodes packets, ``append`` finds the end of a file to
continue.
"""
