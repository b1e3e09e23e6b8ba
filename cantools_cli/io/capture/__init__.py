"""Captures of Wireshark and tcpdump: pcap and pcapng.

``pcap`` and ``pcapng`` describe the two file formats and hold their readers and writers, which share the
loops of ``reader`` and ``writer``. ``records`` decodes packets.
"""
