# The formula for a Homebrew tap. `finish` replaces the words in capitals.
class Xacct < Formula
  desc "Create and test cross-account access in AWS"
  homepage "https://github.com/xacct/xacct"
  version "VERSION"
  license any_of: ["MIT", "Apache-2.0"]

  on_macos do
    on_arm do
      url "https://github.com/xacct/xacct/releases/download/vVERSION/xacct-VERSION-aarch64-apple-darwin.tar.xz"
      sha256 "SHA256:aarch64-apple-darwin"
    end
    on_intel do
      url "https://github.com/xacct/xacct/releases/download/vVERSION/xacct-VERSION-x86_64-apple-darwin.tar.xz"
      sha256 "SHA256:x86_64-apple-darwin"
    end
  end

  on_linux do
    on_arm do
      url "https://github.com/xacct/xacct/releases/download/vVERSION/xacct-VERSION-aarch64-unknown-linux-gnu.tar.xz"
      sha256 "SHA256:aarch64-unknown-linux-gnu"
    end
    on_intel do
      url "https://github.com/xacct/xacct/releases/download/vVERSION/xacct-VERSION-x86_64-unknown-linux-gnu.tar.xz"
      sha256 "SHA256:x86_64-unknown-linux-gnu"
    end
  end

  def install
    bin.install Dir["bin/*"]
    man1.install Dir["share/man/man1/*"]
    bash_completion.install "share/bash-completion/completions/xacct"
    zsh_completion.install "share/zsh/site-functions/_xacct"
    fish_completion.install "share/fish/vendor_completions.d/xacct.fish"
    doc.install Dir["share/doc/xacct/*"]
  end

  test do
    assert_equal "xacct #{version}", shell_output("#{bin}/xacct --version").strip
    system bin/"xacct-sandbox"
  end
end
