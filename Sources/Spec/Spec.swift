import CYajl
