"""Captures of Wireshark and tcpdump, pcap and pcapng, with the records that both hold."""
